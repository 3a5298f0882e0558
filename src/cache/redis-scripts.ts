import type { Result } from 'ioredis';
import { DEPENDENCIES_BY_BIT } from './outbox/dependency-bits.ts';

/**
 * Adds one to each version named by a bit of `mask`; in a new epoch when the tenant has none, or what lies there is not
 * of this layout.
 */
const BUMP_FUNCTION = `
local names = { ${DEPENDENCIES_BY_BIT.map((name) => `'${name}'`).join(', ')} }
local function bump(key, mask, epoch, ttlMs)
  if mask == 0 then return end
  local known, versions = pcall(function() return cjson.decode(redis.call('GET', key)) end)
  if not known or type(versions) ~= 'table' or type(versions.epoch) ~= 'string' then versions = { epoch = epoch } end
  for position, name in ipairs(names) do
    if bit.band(mask, 2 ^ (position - 1)) ~= 0 then versions[name] = (tonumber(versions[name]) or 0) + 1 end
  end
  redis.call('SET', key, cjson.encode(versions), 'PX', ttlMs)
end`;

/**
 * A bump by the API, which remembers the write it is for.
 * KEYS: versions, the write's key (optional). ARGV: epoch, ttlMs, mask, how long the write is remembered in ms.
 */
const BUMP = `${BUMP_FUNCTION}
bump(KEYS[1], tonumber(ARGV[3]), ARGV[1], ARGV[2])
if KEYS[2] then redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4]) end
return 1`;

/**
 * Bumps by the drainer. A write that the API has bumped is not repeated, but for what it left out. One that it has not
 * is left for later, unless its time is up; the positions of these are the answer.
 * KEYS: versions, then each write's. ARGV: epoch, ttlMs, mask that is due whatever, '1' when all are due, then each write's mask.
 */
const DRAIN = `${BUMP_FUNCTION}
local due, left = tonumber(ARGV[3]), {}
for position = 2, #KEYS do
  local mask, written = tonumber(ARGV[position + 3]), redis.call('GET', KEYS[position])
  if written then mask = bit.band(mask, bit.bnot(tonumber(written) or 0)) end
  if written or ARGV[4] == '1' then due = bit.bor(due, mask) else left[#left + 1] = position - 2 end
end
bump(KEYS[1], due, ARGV[1], ARGV[2])
return left`;

/** Compares and sets, so that nobody touches the lock of another. KEYS: the lock. ARGV: own token, new value, its ms. */
const REPLACE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end`;

/** What runs within Redis. Sent as a whole once for each connection, and named by its hash from then on. */
export const REDIS_SCRIPTS = {
  bumpVersions: { lua: BUMP },
  drainVersions: { lua: DRAIN },
  replaceLock: { lua: REPLACE, numberOfKeys: 1 },
} as const;

declare module 'ioredis' {
  interface RedisCommander<Context> {
    bumpVersions(keyCount: number, ...keysAndValues: (string | number)[]): Result<unknown, Context>;
    drainVersions(keyCount: number, ...keysAndValues: (string | number)[]): Result<number[], Context>;
    replaceLock(key: string, token: string, value: string, ttlMs: number): Result<unknown, Context>;
  }
}
