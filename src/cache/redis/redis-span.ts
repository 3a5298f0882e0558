import { performance } from 'node:perf_hooks';
import { RequestTiming } from '../../monitoring/request-timing.ts';

/** A command to Redis, for the spans. */
export interface RedisCall {
  readonly command: string;
  /** What it is about; of EVALSHA, the script. */
  readonly target: string;
}

export const GET_VERSIONS: RedisCall = { command: 'GET', target: 'versions' };
export const GET_VERSIONS_AND_ENTRY: RedisCall = { command: 'MGET', target: 'versions entry' };
export const GET_ENTRY: RedisCall = { command: 'GET', target: 'entry' };
export const SET_ENTRY: RedisCall = { command: 'SET', target: 'entry' };
export const DEL_ENTRY: RedisCall = { command: 'DEL', target: 'entry' };
export const GET_LOCK: RedisCall = { command: 'GET', target: 'lock' };
export const SET_LOCK: RedisCall = { command: 'SET', target: 'lock' };
export const READ_VERSIONS: RedisCall = { command: 'EVALSHA', target: 'readVersions' };
export const BUMP_VERSIONS: RedisCall = { command: 'EVALSHA', target: 'bumpVersions' };
export const KEEP_LATEST: RedisCall = { command: 'EVALSHA', target: 'keepLatest' };
export const REPLACE_LOCK: RedisCall = { command: 'EVALSHA', target: 'replaceLock' };

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
  const { command, target } = call;
  const name = `${command} ${target}`;
  const attributes = { 'db.system.name': 'redis', 'db.operation.name': command, 'db.query.summary': name };
  return (error) => trace.add({ name, attributes, startedAtMs, ...(error && { errorType: error.name }) }, parent);
}
