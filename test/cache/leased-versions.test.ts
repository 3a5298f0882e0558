import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { VERSIONS_LEASE_MS } from '../../src/cache/redis/timing.ts';
import { LeasedVersions } from '../../src/cache/versions/leased-versions.ts';
import type { TrustedVersions } from '../../src/cache/versions/redis-versions.ts';
import { now } from '../../src/cache/versions/trust.ts';

const TERM = { name: 't', serverId: 's' };
const OLD: TrustedVersions = { versions: { epoch: 'e', accounts: 1 }, term: TERM };
const NEW: TrustedVersions = { versions: { epoch: 'e', accounts: 2 }, term: TERM };

describe('versions that a process holds', () => {
  it('are there without a promise, for their tenant alone', async () => {
    const held = new LeasedVersions();
    const asked = Promise.resolve(OLD);
    held.put('north', now(), asked);
    await asked;
    expect(held.find('north', TERM)).toBe(OLD.versions);
    expect(held.find('south', TERM)).toBeUndefined();
  });

  it('are waited for by those who ask while Redis is being asked', async () => {
    const held = new LeasedVersions();
    const redis = answerOfRedis();
    held.put('north', now(), redis.promise);
    expect(held.find('north', TERM)).toBeUndefined();
    const joined = held.underWay('north');
    redis.resolve(OLD);
    await expect(joined).resolves.toBe(OLD.versions);
  });

  it('are not those of an answer that a recall has overtaken', async () => {
    const held = new LeasedVersions();
    const redis = answerOfRedis();
    held.put('north', now(), redis.promise);
    held.drop('north');
    redis.resolve(OLD);
    await redis.promise;
    expect(held.find('north', TERM)).toBeUndefined();
  });

  it('are not those of an answer that comes after a newer question', async () => {
    const held = new LeasedVersions();
    const first = answerOfRedis();
    const second = Promise.resolve(NEW);
    held.put('north', now(), first.promise);
    held.put('north', now(), second);
    await second;
    first.resolve(OLD);
    await first.promise;
    expect(held.find('north', TERM)).toBe(NEW.versions);
  });

  it('are gone when their time is over, by either clock, counted from before Redis was asked', async () => {
    const held = new LeasedVersions();
    const asked = Promise.resolve(OLD);
    const { monotonicMs, wallMs } = now();
    for (const since of [
      { monotonicMs: monotonicMs - VERSIONS_LEASE_MS, wallMs },
      { monotonicMs, wallMs: wallMs - VERSIONS_LEASE_MS },
    ]) {
      held.put('north', since, asked);
      await asked;
      expect(held.find('north', TERM)).toBeUndefined();
    }
  });

  it('do not outlive the time of trust that they were read in, though the next one is of the same server', async () => {
    const held = new LeasedVersions();
    const asked = Promise.resolve(OLD);
    held.put('north', now(), asked);
    await asked;
    expect(held.find('north', { ...TERM })).toBeUndefined();
  });

  it('are not there when Redis failed, nor does that hide what was asked for since', async () => {
    const held = new LeasedVersions();
    const failing = Promise.reject(new Error('Redis is away'));
    held.put('north', now(), failing);
    await expect(held.underWay('north')).rejects.toThrow('Redis is away');
    expect(held.find('north', TERM)).toBeUndefined();
    expect(held.underWay('north')).toBeUndefined();
  });
});

describe('holding a tenant’s versions', () => {
  let held: LeasedVersions;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance', 'Date'] });
    held = new LeasedVersions();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is worthwhile when Redis was asked for them less than a hold ago', () => {
    expect(held.isWorthwhile('north')).toBe(false);
    held.glance('north', now());
    vi.advanceTimersByTime(VERSIONS_LEASE_MS - 1);
    expect(held.isWorthwhile('north')).toBe(true);
    expect(held.isWorthwhile('south')).toBe(false);
    vi.advanceTimersByTime(1);
    expect(held.isWorthwhile('north')).toBe(false);
  });

  it.each([true, false])('is worthwhile again when those held before were used: %s', async (isUsed) => {
    for (const tenant of ['north', 'south']) {
      held.put(tenant, now(), Promise.resolve(OLD));
      await Promise.resolve();
      if (isUsed) expect(held.find(tenant, TERM)).toBe(OLD.versions);
    }
    held.drop('south');
    vi.advanceTimersByTime(10 * VERSIONS_LEASE_MS);
    expect(held.isWorthwhile('north')).toBe(isUsed);
    expect(held.isWorthwhile('south')).toBe(isUsed);
  });

  it('is not what a glance does: nobody else may wait for it, or be given what it saw', () => {
    held.glance('north', now());
    expect(held.underWay('north')).toBeUndefined();
    expect(held.find('north', TERM)).toBeUndefined();
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
