import { afterAll, beforeAll, expect, test } from 'vitest';
import { databaseChecks } from '../../src/startup/health-checks.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';

const IDLE = { length: 0, tenants: 0, refusals: { length: 0, time: 0 } };
const QUEUES = { queue: IDLE, admission: IDLE } as unknown as Parameters<typeof databaseChecks>[1];
const FAULT = { object: 'the trigger x', fault: 'is missing', remedy: 'Make it.' };

let server: TestDatabase;
beforeAll(async () => {
  server = await createTestDatabase();
});
afterAll(() => server.drop());

test('what a locked table keeps from being told is as the start found it, also before it was asked for', async () => {
  const sound = databaseChecks(server.url, QUEUES, []);
  const faulty = databaseChecks(server.url, QUEUES, [FAULT]);
  await withClient(server.url, async (client) => {
    await client.query('BEGIN; LOCK TABLE bank_accounts IN ACCESS EXCLUSIVE MODE');
    await sound.checks.integrity();
    await expect(faulty.checks.integrity()).rejects.toThrow('the trigger x');
    await sound.checks.database();
    await client.query('ROLLBACK');
  });
  await Promise.all([sound.close(), faulty.close()]);
});
