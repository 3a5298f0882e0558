import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { VERSIONS_LEASE_MS } from '../../src/cache/redis/timing.ts';
import { LeasedVersions } from '../../src/cache/versions/leased-versions.ts';
import type { TrustedVersions } from '../../src/cache/versions/redis-versions.ts';
import { now } from '../../src/cache/versions/trust.ts';

const TERM = { name: 't', serverId: 's' };
const OLD: TrustedVersions = { versions: { epoch: 'e', accounts: 1 }, term: TERM };
const NEW: TrustedVersions = { versions: { epoch: 'e', accounts: 2 }, term: TERM };

describe('versions that a process has a lease on', () => {
  it('are there without a promise, for their tenant alone', async () => {
    const leased = new LeasedVersions();
    const asked = Promise.resolve(OLD);
    leased.put('north', now(), asked);
    await asked;
    expect(leased.find('north', TERM)).toBe(OLD.versions);
    expect(leased.find('south', TERM)).toBeUndefined();
  });

  it('are waited for by those who ask while Redis is being asked', async () => {
    const leased = new LeasedVersions();
    const redis = answerOfRedis();
    leased.put('north', now(), redis.promise);
    expect(leased.find('north', TERM)).toBeUndefined();
    const joined = leased.underWay('north');
    redis.resolve(OLD);
    await expect(joined).resolves.toBe(OLD.versions);
  });

  it('are not those of an answer that a revocation has overtaken', async () => {
    const leased = new LeasedVersions();
    const redis = answerOfRedis();
    leased.put('north', now(), redis.promise);
    leased.drop('north');
    redis.resolve(OLD);
    await redis.promise;
    expect(leased.find('north', TERM)).toBeUndefined();
  });

  it('are not those of an answer that comes after a newer question', async () => {
    const leased = new LeasedVersions();
    const first = answerOfRedis();
    const second = Promise.resolve(NEW);
    leased.put('north', now(), first.promise);
    leased.put('north', now(), second);
    await second;
    first.resolve(OLD);
    await first.promise;
    expect(leased.find('north', TERM)).toBe(NEW.versions);
  });

  it('are gone when their time is over, by either clock, counted from before Redis was asked', async () => {
    const leased = new LeasedVersions();
    const asked = Promise.resolve(OLD);
    const { monotonicMs, wallMs } = now();
    for (const since of [
      { monotonicMs: monotonicMs - VERSIONS_LEASE_MS, wallMs },
      { monotonicMs, wallMs: wallMs - VERSIONS_LEASE_MS },
    ]) {
      leased.put('north', since, asked);
      await asked;
      expect(leased.find('north', TERM)).toBeUndefined();
    }
  });

  it('do not outlive the time of trust that they were read in, though the next one is of the same server', async () => {
    const leased = new LeasedVersions();
    const asked = Promise.resolve(OLD);
    leased.put('north', now(), asked);
    await asked;
    expect(leased.find('north', { ...TERM })).toBeUndefined();
  });

  it('are not there when Redis failed, nor does that hide what was asked for since', async () => {
    const leased = new LeasedVersions();
    const failing = Promise.reject(new Error('Redis is away'));
    leased.put('north', now(), failing);
    await expect(leased.underWay('north')).rejects.toThrow('Redis is away');
    expect(leased.find('north', TERM)).toBeUndefined();
    expect(leased.underWay('north')).toBeUndefined();
  });
});

describe('a lease on a tenant’s versions', () => {
  let leased: LeasedVersions;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance', 'Date'] });
    leased = new LeasedVersions();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is worthwhile when Redis was asked for them less than a lease ago', () => {
    expect(leased.isWorthwhile('north')).toBe(false);
    leased.glance('north', now());
    vi.advanceTimersByTime(VERSIONS_LEASE_MS - 1);
    expect(leased.isWorthwhile('north')).toBe(true);
    expect(leased.isWorthwhile('south')).toBe(false);
    vi.advanceTimersByTime(1);
    expect(leased.isWorthwhile('north')).toBe(false);
  });

  it.each([true, false])('is worthwhile again when the one before was used: %s', async (isUsed) => {
    for (const tenant of ['north', 'south']) {
      leased.put(tenant, now(), Promise.resolve(OLD));
      await Promise.resolve();
      if (isUsed) expect(leased.find(tenant, TERM)).toBe(OLD.versions);
    }
    leased.drop('south');
    vi.advanceTimersByTime(10 * VERSIONS_LEASE_MS);
    expect(leased.isWorthwhile('north')).toBe(isUsed);
    expect(leased.isWorthwhile('south')).toBe(isUsed);
  });

  it('is not what a glance does: nobody else may wait for it, or be given what it saw', () => {
    leased.glance('north', now());
    expect(leased.underWay('north')).toBeUndefined();
    expect(leased.find('north', TERM)).toBeUndefined();
  });
});

/** An answer that comes when the test wants it to. */
function answerOfRedis() {
  let resolve: (found: TrustedVersions) => void = () => {};
  const promise = new Promise<TrustedVersions>((resolved) => {
    resolve = resolved;
  });
  return { promise, resolve };
}
