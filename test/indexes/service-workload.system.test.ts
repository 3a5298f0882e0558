import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { Role } from '../../src/auth/caller.ts';
import { findWorkload } from '../../src/indexes/advise-database.ts';
import { productQueries } from '../../src/indexes/product-queries.ts';
import { sampleTenants } from '../../src/indexes/samples.ts';
import { REPORT_QUERY, type ReportSource } from '../../src/indexes/service-workload.ts';
import { findProductQuery, type WorkloadStatement } from '../../src/indexes/workload.ts';
import { runScript, runScriptAlone } from '../cli/run-script.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { withClient } from '../support/postgres.ts';
import { startService, type TestService } from '../support/service.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const CALLS = 3;

let service: TestService;
let operator: string;

beforeAll(async () => {
  service = await startService({ env: { CACHE: 'off', SLOW_QUERY_MS: '0' } });
  const tenantId = await insertTenant(service.databaseUrl, { slug: 'north' });
  await insertAccounts(service.databaseUrl, tenantId, [{ accountNumber: '1' }]);
  operator = await service.token(Role.OPERATOR);
  const viewer = await service.token(Role.VIEWER, 'north');
  for (let call = 0; call < CALLS; call++)
    await service.send(viewer, '{ accounts(filter: { minBalance: "0" }) { totalCount } }');
});
afterAll(() => service?.close());

describe('the workload of a running service', () => {
  it('is its counted actions, shared out over the queries of each, and its other slow statements', async () => {
    const statements = await workloadFrom({ url: `${service.url}/graphql`, token: operator });
    const queries = await asClient(async (client) => {
      const [sample] = await sampleTenants(client);
      return sample ? productQueries(sample) : [];
    });
    const counts = statements.filter(({ sql }) => findProductQuery(sql, queries)?.action === 'count');
    // Counted over less than an hour, so that a day is 24 times as much.
    expect(counts.reduce((sum, { callsPerDay }) => sum + callsPerDay, 0)).toBeCloseTo(CALLS * 24);
    expect(counts.every(({ meanMs }) => meanMs > 0)).toBe(true);
    const others = statements.filter(({ sql }) => !findProductQuery(sql, queries));
    expect(others.map(({ sql }) => sql).join('\n')).toContain('FROM tenants');
    expect(new Set(others.map(({ sql }) => sql)).size).toBe(others.length);
  });

  it('is the same from a file with its answer', async () => {
    const { data } = await service.send(operator, REPORT_QUERY);
    const file = save(JSON.stringify({ data }));
    const statements = await workloadFrom({ file });
    expect(statements.find(({ sql }) => sql.includes('count(*)'))?.callsPerDay).toBeGreaterThan(0);
  });

  it('is refused without the right, and from what is no answer, with what to do', async () => {
    const admin = await service.token(Role.VIEWER, 'north');
    const url = `${service.url}/graphql`;
    await expect(workloadFrom({ url, token: admin })).rejects.toThrow(/does not tell .*: This needs the role/);
    await expect(workloadFrom({ url: `${service.url}/health/live`, token: operator })).rejects.toThrow(/does not tell/);
    await expect(workloadFrom({ url: 'http://127.0.0.1:1/graphql', token: operator })).rejects.toMatchObject({
      message: 'There is no service at http://127.0.0.1:1/graphql.',
    });
    for (const text of ['', 'null', '{"data":null}', '{"data":{"performance":{"queries":[],"since":"soon"}}}'])
      await expect(workloadFrom({ file: save(text) })).rejects.toMatchObject({
        message: expect.stringContaining("does not tell the service's queries"),
        remedy: expect.stringContaining(REPORT_QUERY),
      });
    await expect(workloadFrom({ file: '/nowhere.json' })).rejects.toThrow('/nowhere.json cannot be read');
  });

  it('is taken by indexes:advise, which finds nothing missing in it', { timeout: 30_000 }, async () => {
    const { data } = await service.send(operator, REPORT_QUERY);
    const file = save(JSON.stringify({ data }));
    const env = { DATABASE_URL: service.databaseUrl };
    const { code, stdout, stderr } = await runScriptAlone('indexes-advise.ts', ['--from', file], { env });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      new RegExp(`^-- \\d+ statements of ${file}; .*\\n-- Nothing to create, nothing to drop\\.\\n$`),
    );
    const lacking = await runScript('indexes-advise.ts', ['--from', service.url], { env });
    expect(lacking).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^A --from that is a URL needs a --token/),
    });
  });
});

async function workloadFrom(source: ReportSource): Promise<readonly WorkloadStatement[]> {
  return (await asClient((client) => findWorkload(client, source))).statements;
}

function asClient<Result>(work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  return withClient(service.databaseUrl, work);
}

function save(text: string): string {
  const file = path.join(makeTempFolder(), 'answer.json');
  writeFileSync(file, text);
  return file;
}
