import type { Result } from 'ioredis';
import { DEPENDENCIES_BY_BIT } from '../dependencies/dependencies.ts';
import { HEADER_START, LENGTHS_START } from './entry-frame.ts';
import { LUA_REPLICATION } from './redis-server.ts';
import { VERSIONS_LEASE_MS } from './timing.ts';

/**
 * With a process's id behind it: where that process hears of revocations, and of who has heard of
 * its own. Named as in earlier releases, whose processes may share the Redis.
 */
export const REVOCATION_CHANNEL = 'tenantry:cache:recall:';

/** Where every bump is told, as the tenant's id. */
export const CHANGE_CHANNEL = 'tenantry:cache:changed';

/**
 * Whom a bump has told. First for how long yet processes that Redis does not know of may have
 * leases, then in turn the id of each that it told and how long its lease lasts yet. In
 * milliseconds.
 */
export type Revoked = readonly [unknownMs: number, ...lessees: (string | number)[]];

/**
 * What the scripts below share. `load` gives a tenant's versions, in a new epoch when there are
 * none or what lies there is not of this layout, without the leases that are over. `held` is
 * the list of leases, and `held.since` when it began: leases of before are not in it. It begins
 * anew with the key, with the server, which may have lost the last of it, and when the server's
 * clock was set back, by which leases would last for longer than they do.
 */
const versionsFunctions = (keyPrefix: string) => `
local names = { ${DEPENDENCIES_BY_BIT.map((name) => `'${name}'`).join(', ')} }
local leaseMs = ${VERSIONS_LEASE_MS}
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)

local function isList(leases, server)
  if type(leases) ~= 'table' or type(leases.by) ~= 'table' or leases.server ~= server then return false end
  if type(leases.since) ~= 'number' or leases.since > nowMs then return false end
  for id, untilMs in pairs(leases.by) do
    if type(untilMs) ~= 'number' or untilMs > nowMs + leaseMs then return false end
  end
  return true
end

local function load(key, epoch, server)
  local known, versions = pcall(function() return cjson.decode(redis.call('GET', key)) end)
  if not known or type(versions) ~= 'table' or type(versions.epoch) ~= 'string' then versions = { epoch = epoch } end
  if not isList(versions.held, server) then versions.held = { server = server, since = nowMs, by = {} } end
  local by = versions.held.by
  for id, untilMs in pairs(by) do
    if untilMs <= nowMs then by[id] = nil end
  end
  return versions
end

local function save(key, versions, ttlMs)
  local text = cjson.encode(versions)
  redis.call('SET', key, text, 'PX', ttlMs)
  return text
end

local function bump(versions, mask)
  for position, name in ipairs(names) do
    if bit.band(mask, 2 ^ (position - 1)) ~= 0 then versions[name] = (tonumber(versions[name]) or 0) + 1 end
  end
end

-- Tells those who follow changes, once what they read shows them.
local function tell(key)
  -- Not allowed (ACL) is no reason to refuse a write.
  redis.pcall('PUBLISH', '${keyPrefix}${CHANGE_CHANNEL}', string.match(key, 'tenant:{([^}]*)}'))
end

local function lease(versions, process, takesLease)
  if takesLease == '1' then versions.held.by[process] = nowMs + leaseMs end
end

-- Tells every other process that has a lease. The answer: how long to wait for processes that are not in the list, then
-- each that is in it and how long its lease lasts yet; all in ms.
local function revoke(versions, own, message)
  local told = { math.max(0, versions.held.since + leaseMs - nowMs) }
  for id, untilMs in pairs(versions.held.by) do
    if id ~= own then
      redis.call('PUBLISH', '${keyPrefix}${REVOCATION_CHANNEL}' .. id, message)
      told[#told + 1] = id
      told[#told + 1] = untilMs - nowMs
    end
  end
  return told
end`;

/**
 * The versions, and a lease on them for a process that can hear of revocations: it takes them for
 * current without asking, until the lease is over or a bump revokes it. KEYS: versions. ARGV:
 * epoch, ttlMs, server, process, '1' when it takes a lease.
 */
const READ = `
local versions = load(KEYS[1], ARGV[1], ARGV[3])
lease(versions, ARGV[4], ARGV[5])
return save(KEYS[1], versions, ARGV[2])`;

/**
 * A bump by the API, which marks its write as bumped for and takes a lease on what it made. What
 * the outbox relay has bumped for the write already is not bumped again, but its leases are
 * revoked: the relay may not have been heard yet. The answer: the versions, and that of `revoke`.
 * KEYS: versions, the write's mark (optional). ARGV: epoch, ttlMs, server, process, '1' when it
 * takes a lease, message, mask, how long the mark lasts in ms.
 */
const BUMP = `
local versions, mask = load(KEYS[1], ARGV[1], ARGV[3]), tonumber(ARGV[7])
if KEYS[2] then
  local marked = tonumber(redis.call('GET', KEYS[2]) or 0) or 0
  redis.call('SET', KEYS[2], bit.bor(marked, mask), 'PX', ARGV[8])
  mask = bit.band(mask, bit.bnot(marked))
end
bump(versions, mask)
lease(versions, ARGV[4], ARGV[5])
local text = save(KEYS[1], versions, ARGV[2])
if mask ~= 0 then tell(KEYS[1]) end
return { text, revoke(versions, ARGV[4], ARGV[6]) }`;

/**
 * Bumps by the outbox relay. What is marked for a write was bumped already, and what is bumped here
 * is marked. The answer: that of `revoke`, if anything was bumped. KEYS: versions, then each
 * write's mark. ARGV: epoch, ttlMs, server, process, message, how long a mark lasts in ms, mask of
 * what has no mark, then each write's mask.
 */
const RELAY = `
local due = tonumber(ARGV[7])
for position = 2, #KEYS do
  local mask, marked = tonumber(ARGV[position + 6]), tonumber(redis.call('GET', KEYS[position]) or 0) or 0
  local missing = bit.band(mask, bit.bnot(marked))
  if missing ~= 0 then redis.call('SET', KEYS[position], bit.bor(marked, mask), 'PX', ARGV[6]) end
  due = bit.bor(due, missing)
end
if due == 0 then return {} end
local versions = load(KEYS[1], ARGV[1], ARGV[3])
bump(versions, due)
save(KEYS[1], versions, ARGV[2])
tell(KEYS[1])
return { revoke(versions, ARGV[4], ARGV[5]) }`;

const NOW = `
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + time[2] / 1000
local function answer(...) return { string.format('%.3f', nowMs), ... } end`;

/**
 * The lease, and whose it is asked of. The answer: Redis's clock, its role, the history of its
 * data, the lease. Read at once, so that no lease is taken from a server that was made a replica in
 * between. KEYS: the lease.
 */
const READ_LEASE = `${NOW}${LUA_REPLICATION}
return answer(role, history, redis.call('GET', KEYS[1]))`;

/**
 * Writes the lease where it may be. One that another database keeps alive stays, and so does
 * everything on a server whose data have another history. The answer: Redis's clock, and what
 * became of it. KEYS: the lease. ARGV: history, database, lease, ttlMs.
 */
const WRITE_LEASE = `${NOW}${LUA_REPLICATION}
if role ~= 'master' or history ~= ARGV[1] then return answer('another server') end
local isLease, lease = pcall(cjson.decode, redis.call('GET', KEYS[1]) or '')
isLease = isLease and type(lease) == 'table' and type(lease.seenAtMs) == 'number' and type(lease.untilMs) == 'number'
if isLease and lease.database ~= ARGV[2] and lease.seenAtMs <= nowMs and nowMs < lease.untilMs then
  return answer('another database')
end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return answer('written')`;

/**
 * Compares and sets, so that nobody touches the lock of another. KEYS: the lock. ARGV: own token,
 * new value, its ms.
 */
const REPLACE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end`;

/**
 * Keeps an entry, unless one of a later moment is there. Where the one there was created later,
 * though read before, it does not: the entry is to be dated so first. The answer: when what is
 * there now was created; nil when a later one stays. KEYS: the entry's. ARGV: its bytes, its ms,
 * epoch, moment, when it was created, layout.
 */
const KEEP_LATEST = `
local known, there = pcall(function()
  local start = redis.call('GETRANGE', KEYS[1], 0, 4095)
  return cjson.decode(string.sub(start, ${HEADER_START} + 1, ${HEADER_START} + struct.unpack('>I4', string.sub(start, ${LENGTHS_START} + 1))))
end)
if known and there.layout == ARGV[6] and there.versions.epoch == ARGV[3] and type(there.moment) == 'number' then
  if there.moment > tonumber(ARGV[4]) then return nil end
  if there.createdAtMs > tonumber(ARGV[5]) then return string.format('%.0f', there.createdAtMs) end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[5]`;

/**
 * What runs within Redis. Sent as a whole once for each connection, and named by its hash from then
 * on.
 * @param keyPrefix of the keys and channels that scripts make themselves
 */
export function redisScripts(keyPrefix: string) {
  const functions = versionsFunctions(keyPrefix);
  return {
    readVersions: { lua: functions + READ, numberOfKeys: 1 },
    bumpVersions: { lua: functions + BUMP },
    relayChanges: { lua: functions + RELAY },
    readLease: { lua: READ_LEASE, numberOfKeys: 1 },
    writeLease: { lua: WRITE_LEASE, numberOfKeys: 1 },
    replaceLock: { lua: REPLACE, numberOfKeys: 1 },
    keepLatest: { lua: KEEP_LATEST, numberOfKeys: 1 },
  } as const;
}

declare module 'ioredis' {
  interface RedisCommander<Context> {
    readVersions(key: string, ...values: (string | number)[]): Result<string, Context>;
    bumpVersions(
      keyCount: number,
      ...keysAndValues: (string | number)[]
    ): Result<[text: string, revoked: Revoked], Context>;
    relayChanges(keyCount: number, ...keysAndValues: (string | number)[]): Result<[revoked?: Revoked], Context>;
    readLease(key: string): Result<[nowMs: string, role: string, history: string, lease: string | null], Context>;
    writeLease(key: string, ...values: (string | number)[]): Result<[nowMs: string, outcome: string], Context>;
    replaceLock(key: string, token: string, value: string, ttlMs: number): Result<unknown, Context>;
    keepLatest(
      key: string,
      bytes: Buffer,
      ttlMs: number,
      epoch: string,
      moment: number,
      createdAtMs: number,
      layout: string,
    ): Result<string | null, Context>;
  }
}
