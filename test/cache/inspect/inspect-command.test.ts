import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Role } from '../../../src/auth/caller.ts';
import { inspectCommand } from '../../../src/commands/inspect-command.ts';
import { OperatorError } from '../../../src/errors.ts';
import { insertTenant } from '../../support/fixtures.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import { startService, type TestService } from '../../support/service.ts';

const DEFAULTS = { tenant: 'north', pattern: '*', limit: '20', 'max-keys': '1000000', json: true };
const QUERIES = ['query Slug { tenant { slug } }', '{ accounts { totalCount } }', '{ statistics { period } }'];

describeWithOwnRedis('cache:inspect', () => {
  let redis: TestRedis;
  let admin: Redis;
  let service: TestService;
  let prefix: string;
  beforeAll(async () => {
    redis = await startRedis();
    admin = new Redis(redis.url);
    service = await startService({ env: { REDIS_URL: redis.url } });
    prefix = `tenant:{${await insertTenant(service.databaseUrl, { slug: 'north' })}}:`;
    await insertTenant(service.databaseUrl, { slug: 'south' });
    await service.untilCaughtUp();
    for (const slug of ['north', 'south']) {
      const token = await service.token(Role.ADMIN, slug);
      for (const query of QUERIES) await service.send(token, query);
    }
    while ((await admin.keys('*:response:*')).length < 2 * QUERIES.length) await wait(5);
    vi.stubEnv('DATABASE_URL', service.databaseUrl);
    vi.stubEnv('REDIS_URL', redis.url);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    admin.disconnect();
    await service.close();
    await redis.stop();
  });

  it('shows the trust, the versions and the entries of one tenant', async () => {
    const { tenant, isTrusted, versions, namespaces, youngest, isWhole } = await inspected();
    expect(tenant.slug).toBe('north');
    expect([isTrusted, isWhole]).toEqual([true, true]);
    expect(versions.epoch).toMatch(/^[\w-]+\.[\w-]+$/);
    const answers = namespaces.filter(({ namespace }) => !namespace.startsWith('data:'));
    expect(answers.map(({ namespace, entries }) => [namespace, entries])).toEqual([
      ['accounts', 1],
      ['other', 1],
      ['statistics', 1],
    ]);
    const slug = youngest.find(({ operation }) => operation === 'Slug');
    expect(slug).toMatchObject({ namespace: 'other', state: 'current', changed: [], dependencies: ['tenant'] });
    expect(slug?.bytes).toBe(await admin.strlen(prefix + slug?.key));
  });

  it('says what is old and why, and what is broken', async () => {
    const token = await service.token(Role.ADMIN, 'north');
    await service.send(token, 'mutation { invalidateCache(input: { namespaces: [ACCOUNTS] }) { namespaces } }');
    await admin.set(`${prefix}response:broken`, 'x');
    await admin.lpush(`${prefix}list`, 'x');
    const { namespaces, reasons, youngest } = await inspected();
    const states = Object.fromEntries(namespaces.map(({ namespace, states }) => [namespace, states]));
    expect(states.accounts).toEqual({ current: 0, old: 1, expired: 0, broken: 0 });
    expect([states.other?.current, states.unknown?.broken, states['data:list']?.broken]).toEqual([1, 1, 1]);
    expect(reasons.map(({ reason }) => reason)).toContain('accounts was changed');
    expect(youngest.find(({ key }) => key === 'response:broken')).toMatchObject({ state: 'broken', ageMs: null });
    await admin.del(`${prefix}response:broken`, `${prefix}list`);
  });

  it('shows only what depends on a pattern, and no more entries one by one than asked', async () => {
    const { namespaces } = await inspected({ pattern: 'statistics:*' });
    const found = namespaces.map(({ namespace }) => namespace.replace('data:', ''));
    expect(new Set(found)).toEqual(new Set(['statistics']));
    expect((await inspected({ limit: '1' })).youngest).toHaveLength(1);
  });

  it('says that it did not walk all keys', async () => {
    const other = admin.pipeline();
    for (let n = 0; n < 5_000; n++) other.set(`other:${n}`, '');
    await other.exec();
    expect((await inspected({ 'max-keys': '1' })).isWhole).toBe(false);
    expect(await printed({ json: false, 'max-keys': '1' })).toContain('give --max-keys more');
  });

  it('prints the same for people', async () => {
    const text = await printed({ json: false });
    expect(text).toMatch(/^Tenant north \([\w-]+\)\nTrusted: the lease lasts \d+ ms yet/);
    expect(text).toMatch(/^other +1 /m);
    expect(text).toMatch(/^response:\w+… +Slug +\d+ B +\S.* current$/m);
  });

  it('says that nothing is current when Redis is another one', async () => {
    const empty = await startRedis();
    vi.stubEnv('REDIS_URL', empty.url);
    expect(await printed({ json: false })).toMatch(/Not trusted: no lease.*\nNo versions.*\n\nNo entries\./);
    await empty.stop();
    const refusal = await inspectCommand({ options: DEFAULTS }).catch((error) => error);
    expect(refusal.message).toMatch(/^Redis at 127\.0\.0\.1:\d+ cannot be used: connect ECONNREFUSED/);
    vi.stubEnv('REDIS_URL', redis.url);
  });

  async function inspected(options = {}): Promise<Inspected> {
    return JSON.parse(await printed(options));
  }
});

describe('cache:inspect refuses', () => {
  it.each([
    [{ tenant: undefined }, 'redis://127.0.0.1:1', '--tenant is missing.'],
    [{ pattern: 'dash' }, 'redis://127.0.0.1:1', '--pattern must be one of *, accounts:*'],
    [{ limit: '-1' }, 'redis://127.0.0.1:1', '--limit must be a whole number between 0 and 1000'],
    [{}, '', 'REDIS_URL is not set. Without Redis each process keeps its answers in its own memory'],
    [{}, 'http://user:secret@host', 'REDIS_URL must begin with redis:// or rediss://.'],
  ])('%o with REDIS_URL "%s"', async (options, url, message) => {
    vi.stubEnv('REDIS_URL', url);
    const refusal = await inspectCommand({ options: { ...DEFAULTS, ...options } }).catch((error) => error);
    vi.unstubAllEnvs();
    expect(refusal).toBeInstanceOf(OperatorError);
    expect(refusal.message).toContain(message);
    expect(`${refusal.message} ${refusal.remedy}`).not.toContain('secret');
  });
});

interface Inspected {
  readonly tenant: { readonly slug: string };
  readonly isTrusted: boolean;
  readonly versions: Record<string, string | number>;
  readonly namespaces: { namespace: string; entries: number; states: Record<string, number> }[];
  readonly reasons: { reason: string; entries: number }[];
  readonly youngest: { key: string; bytes: number; operation: string | null }[];
  readonly isWhole: boolean;
}

async function printed(options = {}): Promise<string> {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await inspectCommand({ options: { ...DEFAULTS, ...options } });
    return write.mock.calls.map(([text]) => text).join('');
  } finally {
    write.mockRestore();
  }
}
