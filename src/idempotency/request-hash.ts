import { createHash } from 'node:crypto';

/**
 * What tells equal requests from others, in hexadecimal.
 * @param input normalised by the input checks, so that what means the same is written the same; its
 *   keys in a fixed order
 */
export function requestHash(operation: string, input: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([operation, input]))
    .digest('hex');
}
