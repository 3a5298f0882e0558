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
export const BUMP = `${BUMP_FUNCTION}
bump(KEYS[1], tonumber(ARGV[3]), ARGV[1], ARGV[2])
if KEYS[2] then redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4]) end
return 1`;

/**
 * Bumps by the drainer. A write that the API has bumped is not repeated, but for what it left out. One that it has not
 * is left for later, unless its time is up; the positions of these are the answer.
 * KEYS: versions, then each write's. ARGV: epoch, ttlMs, mask that is due whatever, '1' when all are due, then each write's mask.
 */
export const DRAIN = `${BUMP_FUNCTION}
local due, left = tonumber(ARGV[3]), {}
for position = 2, #KEYS do
  local mask, written = tonumber(ARGV[position + 3]), redis.call('GET', KEYS[position])
  if written then mask = bit.band(mask, bit.bnot(tonumber(written) or 0)) end
  if written or ARGV[4] == '1' then due = bit.bor(due, mask) else left[#left + 1] = position - 2 end
end
bump(KEYS[1], due, ARGV[1], ARGV[2])
return left`;
