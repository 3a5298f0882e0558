import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../../src/auth/caller.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../../support/redis.ts';
import { startService, type TestService } from '../../support/service.ts';
import { CountedTenant, type Part, QUESTIONS, type Question, untilWaitedFor, writesShown } from './one-moment.ts';

const ROUNDS = 40;
const [DASHBOARD, WITH_BELOW] = QUESTIONS as readonly [Question, Question];

let database: TestDatabase;
let tenants = 0;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

describe('in memory', () => oneMoment());
describeWithRedis('with Redis', () => oneMoment(startRedis));
describe('without a cache', () => {
  let plain: TestService;
  beforeAll(async () => {
    plain = await startService({ database, env: { CACHE: 'off' } });
  });
  afterAll(() => plain.close());

  test.each([
    [
      'topAccounts',
      WITH_BELOW.parts.filter(({ name }) => ['overview', 'topPages', 'topRecent', 'topAccounts'].includes(name)),
    ],
    ['tenant', WITH_BELOW.parts.filter(({ name }) => ['overview', 'tenant', 'topDeep'].includes(name))],
  ])('what is read below the lists of a dashboard, later, is of the same moment: %s', async (_, parts) => {
    const tenant = await CountedTenant.create(database.url, `below-${tenants++}`);
    const token = await plain.token(Role.ADMIN, tenant.slug);
    await tenant.writeSql();
    // What the dashboard's own statement reads is there to be read; what hangs on its lists has to
    // wait.
    await tenant.client.query('BEGIN; LOCK TABLE transactions IN ACCESS EXCLUSIVE MODE');
    const answer = writesShown(plain, token, WITH_BELOW, 'date: "2025-03-05"', parts);
    await untilWaitedFor(tenant.client);
    await tenant.writeRows();
    await tenant.client.query('COMMIT');
    expect(await answer).toEqual(parts.map(() => 1));
    await tenant.close();
  });
});

function oneMoment(prepare?: () => Promise<TestRedis>): void {
  let redis: TestRedis | undefined;
  let service: TestService;
  let tenant: CountedTenant;
  let token: string;
  let questions = 0;
  beforeAll(async () => {
    redis = await prepare?.();
    const env = { LIMIT_POINTS_PER_MINUTE: '2000000000', ...(redis && { REDIS_URL: redis.url }) };
    service = await startService({ database, env });
    tenant = await CountedTenant.create(database.url, `moment-${tenants++}`);
    token = await service.token(Role.ADMIN, tenant.slug);
    await service.untilCaughtUp();
  });
  afterAll(async () => {
    await tenant.close();
    await service.close();
    await redis?.stop();
  });

  /**
   * Asks for one part, writes, asks for it together with all others, for each. @returns those that
   * do not agree
   */
  async function torn(question: Question, parts: readonly Part[], staleness: number, write: () => Promise<unknown>) {
    const found: string[] = [];
    for (const one of parts) {
      const args = `${question.argumentsFor(questions++ % 300)}, maxStalenessSeconds: ${staleness}`;
      await writesShown(service, token, question, args, [one]);
      await write();
      const shown = await writesShown(service, token, question, args, parts);
      if (new Set(shown).size > 1) found.push(`after ${one.name}: ${described(parts, shown)}`);
    }
    return found;
  }

  const invalidate = () => service.send(token, 'mutation { invalidateCache(input: {}) { namespaces } }');
  const WAYS = new Map<string, { readonly staleness: number; readonly write: () => Promise<unknown> }>([
    ['the cache has not heard of', { staleness: 0, write: () => tenant.writePastTheApi() }],
    [
      'made them old, with maxStalenessSeconds,',
      { staleness: 3600, write: () => tenant.writePastTheApi().then(invalidate) },
    ],
    ['the API made, with maxStalenessSeconds,', { staleness: 3600, write: () => tenant.writeApi(service, token) }],
  ]);

  describe.each([...WAYS.keys()])('one part is asked for, and both after a write that %s:', (way) => {
    test.each(QUESTIONS)('every pair of parts of $title is of one moment', async (question) => {
      const { write, staleness } = WAYS.get(way) as { staleness: number; write: () => Promise<unknown> };
      const parts = question.parts.filter(({ isOfSql }) => !(isOfSql && way.startsWith('the API')));
      expect(await torn(question, parts, staleness, write)).toEqual([]);
    });
  });

  test('loads at the same time, of different parts, are not put together', async () => {
    const found: string[] = [];
    const { parts } = DASHBOARD;
    for (const one of parts) {
      const args = DASHBOARD.argumentsFor(questions++ % 300);
      await Promise.all([
        writesShown(service, token, DASHBOARD, args, [one]),
        tenant.writePastTheApi(),
        writesShown(
          service,
          token,
          DASHBOARD,
          args,
          parts.filter((part) => part !== one),
        ),
      ]);
      const shown = await writesShown(service, token, DASHBOARD, args, parts);
      if (new Set(shown).size > 1) found.push(`after ${one.name}: ${described(parts, shown)}`);
    }
    expect(found).toEqual([]);
  });

  test('all parts of an answer agree while others write, whatever was asked before', async () => {
    const found: string[] = [];
    let seed = 7;
    const random = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed % below;
    };
    const own = await CountedTenant.create(database.url, `moment-${tenants++}`);
    const admin = await service.token(Role.ADMIN, own.slug);
    let isOver = false;
    const writing = (async () => {
      while (!isOver) {
        await own.writeSql();
        await own.writeApi(service, admin);
      }
    })();
    const reading = async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const question = QUESTIONS[random(QUESTIONS.length)] as Question;
        const parts = question.parts.filter(({ isOfSql }: Part) => !isOfSql && random(3) === 0);
        if (parts.length === 0) continue;
        const args = `${question.argumentsFor(random(2))}, maxStalenessSeconds: ${[0, 1, 60][random(3)]}`;
        const shown = await writesShown(service, admin, question, args, parts);
        if (new Set(shown).size > 1) found.push(described(parts, shown));
      }
    };
    await Promise.all([reading(), reading(), reading()]).finally(() => {
      isOver = true;
    });
    await writing;
    await own.close();
    expect(found).toEqual([]);
  });
}

function described(parts: readonly Part[], shown: readonly number[]): string {
  return parts.map(({ name }, index) => `${name} ${shown[index]}`).join(', ');
}
