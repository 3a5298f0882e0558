import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { runScript, runScriptAlone } from '../cli/run-script.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { makeFolder, TWO_TENANTS, valuesOf } from './import-fixture.ts';

let database: TestDatabase;
let workingDirectory: string;

beforeEach(async () => {
  database = await createTestDatabase();
  workingDirectory = makeTempFolder();
});

afterEach(() => database.drop());

function runImport(...args: string[]) {
  return runScript('import.ts', args, { cwd: workingDirectory, env: { DATABASE_URL: database.url } });
}

async function audited(...whose: string[]): Promise<unknown[]> {
  const env = { DATABASE_URL: database.url };
  const { stdout } = await runScript('audit.ts', ['--json', ...whose], { env });
  return stdout.split('\n').flatMap((line) => (line ? [JSON.parse(line)] : []));
}

function runImportAlone(...args: string[]) {
  return runScriptAlone('import.ts', args, { cwd: workingDirectory, env: { DATABASE_URL: database.url } });
}

describe('npm run import', { timeout: 60_000 }, () => {
  test('prints what became of the rows and ends with 0', async () => {
    const { code, stdout } = await runImport(makeFolder(TWO_TENANTS));
    expect(stdout).toMatch(/^transactions +3 +0 +0 +0$/m);
    expect(code).toBe(0);
    expect(readdirSync(workingDirectory)).toEqual([]);
  });

  test('ends with 2 when rows were rejected, and says where they are', async () => {
    const tenants = `${TWO_TENANTS['tenants.csv']}West,West Ltd,UTC\n`;
    const { code, stdout } = await runImportAlone(makeFolder({ ...TWO_TENANTS, 'tenants.csv': tenants }));
    const [, file = ''] = /^The rejected rows and why: (import-rejects-\S+\.csv)$/m.exec(stdout) ?? [];
    expect(existsSync(path.join(workingDirectory, file))).toBe(true);
    expect(code).toBe(2);
  });

  test('writes the rejects file that it is told, also when there are none', async () => {
    const { code } = await runImport(makeFolder(TWO_TENANTS), '--rejects', 'none.csv');
    expect(code).toBe(0);
    expect(readdirSync(workingDirectory)).toEqual(['none.csv']);
  });

  test('ends with 1, a message and a remedy, and no stack, when it cannot begin', async () => {
    const { 'tenants.csv': _, ...rest } = TWO_TENANTS;
    const { code, stdout, stderr } = await runImport(makeFolder(rest));
    expect(stderr).toMatch(/has no tenants\.csv.*\nAn import is all three tables/);
    expect(stderr).not.toMatch(/^\s+at /m);
    expect([code, stdout]).toEqual([1, '']);
  });

  test('is shown by npm run audit: to each tenant that it changed, and of none as a whole', async () => {
    expect((await runImport(makeFolder(TWO_TENANTS))).code).toBe(0);
    const line = { action: 'import', key: 'import', outcome: 'DONE', codes: [] };
    for (const whose of [['--tenant', 'north'], ['--tenant', 'south'], ['--no-tenant']])
      expect(await audited(...whose)).toMatchObject([line]);
  });

  test('leaves SERVICE_UNAVAILABLE when another import runs, and BAD_USER_INPUT when the folder is wrong', async () => {
    await withClient(database.url, async (other) => {
      await other.query("SELECT pg_advisory_lock(hashtextextended('tenantry import', 0))");
      expect((await runImport(makeFolder(TWO_TENANTS))).stderr).toContain('Another import');
    });
    expect((await runImport('nowhere')).code).toBe(1);
    const lines = await audited('--no-tenant');
    expect(lines).toMatchObject([{ codes: ['BAD_USER_INPUT'] }, { codes: ['SERVICE_UNAVAILABLE'] }]);
  });

  test('keeps nothing of a dry run', async () => {
    const { code, stdout } = await runImport(makeFolder(TWO_TENANTS), '--dry-run');
    expect([code, stdout]).toEqual([0, expect.stringContaining('Nothing was kept')]);
    expect(await valuesOf(database.url, 'SELECT slug AS value FROM tenants')).toEqual([]);
  });

  test('tells with --help of its exit codes', async () => {
    const { code, stdout } = await runImport('--help');
    expect(stdout).toMatch(/^ {2}2 +imported, but for the rows in the rejects file$/m);
    expect(code).toBe(0);
  });
});
