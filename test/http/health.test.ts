import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DatabaseFaultsError } from '../../src/database/faults.ts';
import { type HealthChecks, registerHealth } from '../../src/http/health.ts';

const up = async () => {};
const down = async () => {
  throw new Error('connection refused at 10.0.0.7');
};
const silent = () => new Promise<never>(() => {});

let app: FastifyInstance;
let warnings: unknown[][];
beforeEach(() => {
  warnings = [];
  app = Fastify();
});
afterEach(async () => {
  vi.useRealTimers();
  await app.close();
});

async function get(url: string) {
  const { statusCode, body } = await app.inject(url);
  return [statusCode, JSON.parse(body)];
}

const register = (checks: Partial<HealthChecks> = {}) =>
  registerHealth(
    app,
    { database: up, migrations: up, integrity: up, ...checks },
    { warn: (...told: unknown[]) => warnings.push(told) },
  );

test('is live as long as it answers, whatever the database does', async () => {
  register({ database: down });
  expect(await get('/health/live')).toStrictEqual([200, { status: 'ok' }]);
});

test('is ready when the database answers and is migrated', async () => {
  register();
  expect(await get('/health/ready')).toStrictEqual([
    200,
    { status: 'ok', checks: { database: 'up', migrations: 'up', integrity: 'up' } },
  ]);
});

test('is ready without Redis, and tells that it is down', async () => {
  register({ redis: down });
  const checks = { database: 'up', migrations: 'up', integrity: 'up', redis: 'down' };
  expect(await get('/health/ready')).toStrictEqual([200, { status: 'ok', checks }]);
});

test.each(['database', 'migrations', 'integrity'])(
  'is not ready while the check of %s fails, and does not tell why',
  async (name) => {
    register({ [name]: down });
    const checks = { database: 'up', migrations: 'up', integrity: 'up', [name]: 'down' };
    expect(await get('/health/ready')).toStrictEqual([503, { status: 'unavailable', checks }]);
    expect(warnings).toHaveLength(1);
  },
);

test('names what the database lacks, and nothing of how to mend it', async () => {
  const faults = [{ object: 'trigger t on transactions', fault: 'is disabled', remedy: 'ALTER TABLE secret;' }];
  register({
    integrity: async () => {
      throw new DatabaseFaultsError(faults);
    },
  });
  expect(await get('/health/ready')).toStrictEqual([
    503,
    {
      status: 'unavailable',
      checks: { database: 'up', migrations: 'up', integrity: 'down' },
      missing: ['trigger t on transactions'],
    },
  ]);
  const [[logged] = []] = warnings;
  expect(logged).toMatchObject({
    reason: expect.stringContaining('trigger t on transactions is disabled: ALTER TABLE secret;'),
  });
});

test('is not ready when the database does not answer within two seconds', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let asked = () => {};
  const underWay = new Promise<void>((resolve) => {
    asked = resolve;
  });
  register({
    database: () => {
      asked();
      return silent();
    },
  });
  const answer = get('/health/ready');
  await underWay;
  vi.advanceTimersByTime(2_000);
  expect(await answer).toMatchObject([503, { checks: { database: 'down' } }]);
});

test('asks the database once for all who ask at the same time', async () => {
  let finish = () => {};
  const database = vi.fn(
    () =>
      new Promise<void>((resolve) => {
        finish = resolve;
      }),
  );
  register({ database });
  const answers = [get('/health/ready'), get('/health/ready'), get('/health/ready')];
  await expect.poll(() => database).toHaveBeenCalled();
  finish();
  for (const answer of answers) expect(await answer).toMatchObject([200, {}]);
  expect(database).toHaveBeenCalledOnce();
});

test('is not ready, though live, once it is being stopped', async () => {
  register().markStopping();
  expect(await get('/health/ready')).toStrictEqual([503, { status: 'stopping' }]);
  expect(await get('/health/live')).toStrictEqual([200, { status: 'ok' }]);
});

test('tells what was found lately without asking the database anew, and the last of it while it is slow', async () => {
  const nowMs = vi.spyOn(performance, 'now').mockReturnValue(0);
  const integrity = vi.fn<() => Promise<unknown>>(down);
  const { lately } = register({ integrity });
  const verdict = async () => Object.fromEntries((await lately()).map(([name, { status }]) => [name, status]));
  const found = { database: 'up', migrations: 'up', integrity: 'down' };
  expect(await verdict()).toEqual(found);
  nowMs.mockReturnValue(4_999);
  expect(await verdict()).toEqual(found);
  expect(integrity).toHaveBeenCalledOnce();
  nowMs.mockReturnValue(5_000);
  integrity.mockImplementation(silent);
  expect(await verdict()).toEqual(found);
  expect(integrity).toHaveBeenCalledTimes(2);
  nowMs.mockRestore();
});
