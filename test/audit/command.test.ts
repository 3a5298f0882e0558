import { randomUUID } from 'node:crypto';
import { userInfo } from 'node:os';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { parseCommandLine } from '../../src/cli/command-line.ts';
import { AUDIT, auditCommand } from '../../src/commands/audit-command.ts';
import { invalidateCommand } from '../../src/commands/invalidate-command.ts';
import { rebuildCommand } from '../../src/commands/statistics-command.ts';
import { insertTenant } from '../support/fixtures.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';

let database: TestDatabase;
let written: string[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
  for (const slug of ['acme', 'rival']) await insertTenant(database.url, { slug });
  await withClient(database.url, (client) =>
    client.query(`INSERT INTO audit_log
      SELECT tenants.id, now() - hours * interval '1 hour', gen_random_uuid(), 'ann' || hours, 'ADMIN', 'transfer', E'a\\x1b[2Jb', 'req-' || hours,
        'REFUSED', '{SAME_ACCOUNT}', 1
      FROM tenants, (VALUES (1), (3), (100)) past (hours) WHERE slug = 'acme'`),
  );
  vi.stubEnv('DATABASE_URL', database.url);
});
beforeEach(() => {
  written = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await database.drop();
});

async function run(...argv: string[]): Promise<string> {
  const line = parseCommandLine(AUDIT, argv);
  if (line === 'help') throw new Error('--help was not asked for');
  expect(await auditCommand(line)).toBe(0);
  return written.join('');
}

const json = async (...argv: string[]) =>
  (await run('--json', ...argv))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

test('shows a tenant’s lines since then, newest first, and steers no terminal', async () => {
  const text = await run('--tenant', 'acme', '--since', '4h');
  expect(text).toMatch(/^at +who +role +what +key +outcome +times +request\n/);
  expect([...text.matchAll(/ann\d+/g)].map(([who]) => who)).toEqual(['ann1', 'ann3']);
  expect(text).toContain('a?[2Jb');
  expect(text).toContain('REFUSED SAME_ACCOUNT');
});

test('shows as JSON, by who and what, and no more than asked for', async () => {
  expect(await json('--tenant', 'acme', '--since', '7d', '--who', 'ann100')).toMatchObject([
    {
      subject: 'ann100',
      action: 'transfer',
      outcome: 'REFUSED',
      codes: ['SAME_ACCOUNT'],
      requestId: 'req-100',
      times: 1,
    },
  ]);
  written = [];
  const warned = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  expect(await json('--tenant', 'acme', '--since', '7d', '--limit', '2')).toHaveLength(2);
  expect(warned.mock.calls).toEqual([
    ['These are the newest 2; there may be more: --limit, --until, or another --who or --what.\n'],
  ]);
  warned.mockRestore();
  written = [];
  expect(await json('--tenant', 'acme', '--since', '7d', '--what', 'refresh')).toEqual([]);
  written = [];
  expect(await run('--tenant', 'rival')).toBe('Nothing was done in that time.\n');
  written = [];
  expect(await run('--tenant', 'rival', '--who', 'ann')).toBe('Nothing of that was done in that time.\n');
});

test('shows the lines before --until, which is after --since', async () => {
  const id = await insertTenant(database.url, { slug: 'spans' });
  const day = '2026-11-28';
  await withClient(database.url, (client) =>
    client.query(
      `INSERT INTO audit_log SELECT $1, at::timestamptz, gen_random_uuid(), at, 'ADMIN', 'transfer', NULL, NULL, 'DONE', '{}', 1
       FROM unnest($2::text[]) AS past (at)`,
      [id, ['27T23:59:59.999', '28T00:00:00', '28T23:59:59.999', '29T00:00:00'].map((at) => `2026-11-${at}Z`)],
    ),
  );
  const shown = async (...span: string[]) => {
    written = [];
    return (await json('--tenant', 'spans', ...span)).map(({ subject }) => subject);
  };
  expect(await shown('--since', day, '--until', '2026-11-29')).toEqual([`${day}T23:59:59.999Z`, `${day}T00:00:00Z`]);
  expect(await shown('--since', '2026-11-27', '--until', `${day}T00:00:00.000Z`)).toEqual(['2026-11-27T23:59:59.999Z']);
  expect(await shown('--since', '2026-11-27')).toHaveLength(4);
  for (const until of [day, '2026-11-27T23:59:59Z'])
    await expect(run('--tenant', 'spans', '--since', day, '--until', until)).rejects.toThrow(
      /^--until must be after --since, which is 2026-11-28T00:00:00\.000Z, but is 2026-11-2[78]T[\d:.]+Z\.$/,
    );
  await expect(run('--tenant', 'spans', '--until', '2d')).rejects.toThrow('--until must be after --since');
});

test('gives each line of JSON the same fields in the same order', async () => {
  const [line] = (await run('--json', '--tenant', 'acme', '--since', '4h')).split('\n');
  expect(line).toMatch(/^\{"at":"\d{4}-\d\d-\d\dT[\d:.]+Z","subject":"ann1","role":"ADMIN","action":"transfer","key":/);
  expect(line).toMatch(/,"outcome":"REFUSED","codes":\["SAME_ACCOUNT"\],"times":1,"requestId":"req-1"\}$/);
});

test('shows the lines of a tenant by its id, also of one that is deleted', async () => {
  const id = await insertTenant(database.url, { slug: 'gone' });
  await withClient(database.url, async (client) => {
    await client.query(
      `INSERT INTO audit_log VALUES ($1, now(), gen_random_uuid(), 'eve', 'ADMIN', 'transfer', NULL, NULL, 'DONE', '{}', 1)`,
      [id],
    );
    expect(await json('--tenant', id)).toMatchObject([{ subject: 'eve' }]);
    await client.query('DELETE FROM tenants WHERE id = $1', [id]);
  });
  await expect(run('--tenant', 'gone')).rejects.toMatchObject({
    message: 'There is no tenant "gone".',
    remedy: 'Give the slug or the id of a tenant; of a deleted one the id.',
  });
  for (const named of [id, id.toUpperCase()]) {
    written = [];
    expect(await json('--tenant', named)).toMatchObject([{ subject: 'eve' }]);
  }
  written = [];
  expect(await run('--tenant', await insertTenant(database.url, { slug: 'idle' }))).toBe(
    'Nothing was done in that time.\n',
  );
  await expect(run('--tenant', randomUUID())).rejects.toThrow('There is no tenant');
});

test('a slug that is another tenant’s id is the slug', async () => {
  const id = await insertTenant(database.url, { slug: 'first' });
  const other = await insertTenant(database.url, { slug: id });
  await rebuildCommand({ options: { tenant: id } });
  written = [];
  const [line] = await json('--tenant', id);
  expect(line).toMatchObject({ action: 'statistics:rebuild' });
  const lines = await withClient(database.url, (client) =>
    client.query('SELECT tenant_id FROM audit_log WHERE tenant_id IN ($1, $2)', [id, other]),
  );
  expect(lines.rows).toEqual([{ tenant_id: other }]);
});

test('says what is missing or wrong', async () => {
  await expect(run()).rejects.toThrow('One of --tenant and --no-tenant must be given.');
  await expect(run('--tenant', 'acme', '--no-tenant')).rejects.toThrow(
    'Only one of --tenant and --no-tenant may be given, but both are.',
  );
  await expect(run('--tenant', 'nobody')).rejects.toThrow('There is no tenant "nobody".');
  await expect(run('--tenant', 'acme', '--since', 'once')).rejects.toThrow('--since must be a span of time');
  await expect(run('--tenant', 'acme', '--what', 'transfers')).rejects.toThrow(
    /^--what must be one of .*\btransfer, .*\bimport, .*, but got: "transfers"\.$/,
  );
});

test('operators’ commands are among the lines of each tenant that they changed', async () => {
  await rebuildCommand({ options: { tenant: 'rival' } });
  const sent = vi.spyOn(pg.Client.prototype, 'query');
  await invalidateCommand({ options: { tenant: undefined, all: true, pattern: 'dashboard:*' } });
  expect(sent.mock.calls.filter(([sql]) => String(sql).includes('audit_log ('))).toHaveLength(1);
  written = [];
  const operator = { subject: `operator:${userInfo().username}`, role: null, outcome: 'DONE' };
  expect(await json('--tenant', 'rival')).toMatchObject([
    { ...operator, action: 'cache:invalidate', key: 'dashboard:*' },
    { ...operator, action: 'statistics:rebuild', key: null },
  ]);
  written = [];
  expect(await json('--tenant', 'acme', '--what', 'cache:invalidate')).toMatchObject([operator]);
});
