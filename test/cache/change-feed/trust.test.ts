import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LEASE_MS } from '../../../src/cache/redis/timing.ts';
import { now, Trust } from '../../../src/cache/versions/trust.ts';

describe('trust', () => {
  let trust: Trust;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance', 'Date'] });
    trust = new Trust();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const grant = (name = 'term', serverId = 'server', leaseMs = LEASE_MS) => {
    trust.grant(name, serverId, now(), leaseMs);
    return trust.term;
  };

  it('is one time of trust as long as it is renewed in time', () => {
    const first = grant();
    vi.advanceTimersByTime(LEASE_MS - 1);
    expect(grant()).toBe(first);
    vi.advanceTimersByTime(LEASE_MS - 1);
    expect(trust.term).toBe(first);
  });

  it('is another time of trust after a gap, in another term, on another Redis, and after it was revoked', () => {
    const first = grant();
    vi.advanceTimersByTime(LEASE_MS);
    expect(trust.term).toBeUndefined();
    const others = [grant(), grant('another term'), grant('another term', 'another server')];
    trust.revoke();
    const last = grant('another term', 'another server');
    expect(new Set([first, ...others, last]).size).toBe(5);
  });

  it('holds for no longer than a lease is long, whatever the lease says', () => {
    grant('term', 'server', 3_600_000);
    vi.advanceTimersByTime(LEASE_MS);
    expect(trust.isValid).toBe(false);
  });
});
