import { createHash } from 'node:crypto';

/**
 * Raise it when a value that is kept gets another form, or another meaning, while both schemas stay
 * as they are.
 */
const REVISION = 4;

/** A text that differs between deployments whose data entries are not for one another. */
export function dataLayout(...schemas: readonly string[]): string {
  const hash = createHash('sha256').update(JSON.stringify([REVISION, ...schemas]));
  return hash.digest('base64url').slice(0, 16);
}
