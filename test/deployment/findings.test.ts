import 'reflect-metadata';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { FindingStatus } from '../../src/performance/finding.type.ts';
import { type Examined, Findings } from '../../src/performance/findings.ts';
import { withKeptClient } from '../support/postgres.ts';
import { startService, type TestService } from '../support/service.ts';

const FINDINGS = '{ performance { findings { check status found remedy } } }';
const FAULT: Examined = { name: 'some', status: 'fault', found: 'it is off', remedy: 'Switch it on.' };

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service?.close());

it('tells an OPERATOR what is wrong with the database, and what to do, as the doctor does', async () => {
  await withKeptClient(service.databaseUrl, async (client) => {
    await client.query('ALTER TABLE bank_accounts DISABLE TRIGGER keep_totals_update');
    // Databases of tests list none.
    await client.query(
      `CREATE TABLE _prisma_migrations AS SELECT migration_name, now() AS finished_at, NULL::timestamptz AS rolled_back_at
         FROM unnest($1::text[]) migration_name`,
      [readdirSync('prisma/migrations').filter((name) => /^\d/.test(name))],
    );
  });
  const { data, errors } = await service.send(await service.token(Role.OPERATOR), FINDINGS);
  expect(errors).toBeUndefined();
  expect(data.performance.findings).toContainEqual({
    check: 'triggers, policies, functions, keys',
    status: 'FAULT',
    found: 'trigger keep_totals_update on bank_accounts is disabled',
    remedy: expect.stringMatching(
      /^As the owner of the tables: ALTER TABLE bank_accounts ENABLE ALWAYS TRIGGER keep_totals_update; Then: npm run statistics:check$/,
    ),
  });
  for (const { status } of data.performance.findings) expect(['WARNING', 'FAULT']).toContain(status);
});

it('looks once for all who ask meanwhile, and again after half a minute', async () => {
  let nowMs = 0;
  let looks = 0;
  const findings = new Findings(
    async () => {
      looks++;
      return [FAULT, { ...FAULT, status: 'ok' }, { ...FAULT, status: 'skipped' }];
    },
    () => nowMs,
  );
  const [first, second] = await Promise.all([findings.read(), findings.read()]);
  expect(first).toEqual([{ check: 'some', status: FindingStatus.FAULT, found: 'it is off', remedy: 'Switch it on.' }]);
  expect(second).toEqual(first);
  nowMs += 29_999;
  await findings.read();
  expect(looks).toBe(1);
  nowMs += 1;
  await findings.read();
  expect(looks).toBe(2);
});

it('looks again at once when looking failed', async () => {
  let fails = true;
  const findings = new Findings(async () => {
    if (fails) throw new Error('cannot look');
    return [FAULT];
  });
  await expect(findings.read()).rejects.toThrow('cannot look');
  fails = false;
  expect(await findings.read()).toHaveLength(1);
});
