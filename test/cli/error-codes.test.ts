import { afterAll, beforeAll, expect, test } from 'vitest';
import { refuseDuringMigration, refuseReadOnly, refuseWithoutRights } from '../../src/cli/write-guard.ts';
import { connect, openCommandDatabase } from '../../src/commands/command-database.ts';
import { refuseDuringCreation, refuseUnchangeable, whileNobodyElseCreates } from '../../src/indexes/change-guard.ts';
import { createOperatorRole } from '../support/operator-role.ts';
import { createEmptyDatabase, createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';

const PRISMAS_LOCK = 'SELECT pg_advisory_lock(72707369)';
const INDEXES_LOCK = "SELECT pg_advisory_lock(hashtextextended('tenantry indexes', 0))";

let database: TestDatabase;
let empty: TestDatabase;
let operator: Awaited<ReturnType<typeof createOperatorRole>>;
beforeAll(async () => {
  [database, empty] = await Promise.all([createTestDatabase(), createEmptyDatabase()]);
  operator = await createOperatorRole(database);
});
afterAll(async () => {
  await Promise.all([database, empty].map((each) => each?.drop()));
  await operator?.drop();
});

type Client = Parameters<Parameters<typeof withClient>[1]>[0];

const after = (statement: string, work: (client: Client) => Promise<unknown>) => () =>
  withClient(database.url, async (client) => {
    await client.query(statement);
    return work(client);
  });

const whileHeld = (hold: (client: Client) => Promise<unknown>, work: (client: Client) => Promise<unknown>) => () =>
  withClient(database.url, async (other) => {
    await hold(other);
    return withClient(database.url, work);
  });

const holdIndexes = (other: Client) => other.query(INDEXES_LOCK);
const createIndexes = (client: Client) => whileNobodyElseCreates(client, async () => {});

test.each<[string, string, () => Promise<unknown>]>([
  ['nobody listens', 'SERVICE_UNAVAILABLE', () => connect('postgresql://127.0.0.1:1/none', 'test')],
  [
    'it is being migrated',
    'SERVICE_UNAVAILABLE',
    whileHeld((other) => other.query(PRISMAS_LOCK), refuseDuringMigration),
  ],
  ['indexes are being made', 'SERVICE_UNAVAILABLE', whileHeld(holdIndexes, refuseDuringCreation)],
  ['indexes are being made by the same command', 'SERVICE_UNAVAILABLE', whileHeld(holdIndexes, createIndexes)],
  ['it is not migrated', 'FAILED_PRECONDITION', () => openCommandDatabase({ command: 'test', url: empty.url })],
  ['it is read-only', 'FAILED_PRECONDITION', after('SET default_transaction_read_only = on', refuseReadOnly)],
  [
    'the login lacks rights',
    'FAILED_PRECONDITION',
    () => after(`SET ROLE ${operator.role}`, (client) => refuseWithoutRights(client, ['audit_log']))(),
  ],
  [
    'the login owns no table',
    'FAILED_PRECONDITION',
    () => after(`SET ROLE ${operator.role}`, (client) => refuseUnchangeable(client, ['transactions']))(),
  ],
])('what a command is refused for, since %s, is recorded as %s', async (_, code, refused) => {
  await expect(refused()).rejects.toMatchObject({ name: 'OperatorError', code });
});
