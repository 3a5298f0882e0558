import type { RequestReads } from '../../../src/cache/data/data-cache.ts';
import type { RequestVersions } from '../../../src/cache/data/request-versions.ts';

/** What a request reads by that tells nobody what it read. */
export function readingBy(versions: RequestVersions): RequestReads {
  return { versions, dependsOn: () => {} };
}
