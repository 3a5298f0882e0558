import { performance } from 'node:perf_hooks';
import type { Monitor } from '../../monitoring/monitor.ts';

/**
 * Counts an access to Redis that is under way, and its time. @returns undefined when it failed,
 * which FastRedis has logged
 */
export function countedAccess<Result>(
  monitor: Monitor,
  kind: 'get' | 'set',
  namespace: string,
  access: Promise<Result>,
): Promise<Result | undefined> {
  const startedAt = performance.now();
  return access.then(
    (result) => {
      monitor.recordCache({ namespace, kind, durationMs: performance.now() - startedAt });
      return result;
    },
    () => {
      monitor.recordCache({ namespace, kind: 'error' });
      return undefined;
    },
  );
}
