import { performance } from 'node:perf_hooks';
import { RequestTiming } from '../../monitoring/request-timing.ts';

/** A command to Redis, for the spans. */
export interface RedisCall {
  readonly command: string;
  /** Of EVALSHA. */
  readonly script?: string;
}

export const GET: RedisCall = { command: 'GET' };
export const MGET: RedisCall = { command: 'MGET' };
export const SET: RedisCall = { command: 'SET' };
export const DEL: RedisCall = { command: 'DEL' };
export const READ_VERSIONS: RedisCall = { command: 'EVALSHA', script: 'readVersions' };
export const BUMP_VERSIONS: RedisCall = { command: 'EVALSHA', script: 'bumpVersions' };
export const KEEP_LATEST: RedisCall = { command: 'EVALSHA', script: 'keepLatest' };
export const REPLACE_LOCK: RedisCall = { command: 'EVALSHA', script: 'replaceLock' };

/**
 * Begins the span of a call.
 * @param request what tenant scopes carry: calls for no request have no span
 * @returns what ends it; undefined when nothing is recorded
 */
export function beginRedisSpan(
  call: RedisCall | undefined,
  request: object | undefined,
): ((error?: Error) => void) | undefined {
  const trace = request instanceof RequestTiming ? request.trace : null;
  if (!call || !trace) return undefined;
  const startedAtMs = performance.now();
  const parent = trace.current;
  const { command, script } = call;
  return (error) =>
    trace.add(
      {
        name: script ? `${command} ${script}` : command,
        attributes: {
          'db.system.name': 'redis',
          'db.operation.name': command,
          ...(script && { 'db.stored_procedure.name': script }),
        },
        startedAtMs,
        ...(error && { errorType: error.name }),
      },
      parent,
    );
}
