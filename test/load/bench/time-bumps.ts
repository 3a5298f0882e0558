import { performance } from 'node:perf_hooks';

import { NAMESPACES } from '../../../src/cache/dependencies/dependencies.ts';
import type { VersionStore } from '../../../src/cache/versions/versions.ts';
import type { TenantScope } from '../../../src/tenancy/tenant-scope.ts';
import { median } from './percentile.ts';

const SAMPLES = 1_000;
/** Not counted: the code is not compiled yet. */
const WARM_UP = 200;

/**
 * How long it takes to invalidate everything of a tenant: two tenants in turn, so that what slows
 * the machine slows both.
 * @returns the median in microseconds for each
 */
export async function timeBumps(
  versions: Pick<VersionStore, 'bump'>,
  [first, second]: readonly [TenantScope, TenantScope],
  bumpsPerSample: number,
): Promise<[number, number]> {
  const times: [number[], number[]] = [[], []];
  for (let sample = -WARM_UP; sample < SAMPLES; sample++)
    for (const [index, scope] of [first, second].entries()) {
      const startedAt = performance.now();
      for (let bump = 0; bump < bumpsPerSample; bump++) await versions.bump(scope, NAMESPACES);
      if (sample >= 0) times[index]?.push(((performance.now() - startedAt) * 1000) / bumpsPerSample);
    }
  return [median(times[0]), median(times[1])];
}
