import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import type { CommandSpec } from '../../src/cli/command-line.ts';
import { describeError, runCommand } from '../../src/cli/run-command.ts';
import { openCommandDatabase } from '../../src/commands/command-database.ts';
import { OperatorError } from '../../src/errors.ts';
import { findFreePort } from '../support/free-port.ts';
import { createEmptyDatabase, createTestDatabase } from '../support/postgres.ts';

const SPEC = { name: 'paint', summary: 'Paints.', options: {} } as const satisfies CommandSpec;

describe('a command', () => {
  let printed: { stdout: string; stderr: string };

  beforeEach(() => {
    printed = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      vi.spyOn(process[name], 'write').mockImplementation((text) => {
        printed[name] += text;
        return true;
      });
    }
  });

  afterEach(() => {
    vi.restoreAllMocks();
    process.exitCode = undefined;
  });

  test('ends with the exit code that its action gives, and with 0 when it gives none', async () => {
    await runCommand(SPEC, async () => 2, []);
    expect(process.exitCode).toBe(2);
    await runCommand(SPEC, async () => undefined, []);
    expect(process.exitCode).toBe(0);
  });

  test('that fails prints message and remedy on stderr, no stack, and ends with 1', async () => {
    const fail = async () => {
      throw new OperatorError('The wall is wet.', 'Wait an hour.');
    };
    await runCommand(SPEC, fail, []);
    expect(printed).toEqual({ stdout: '', stderr: 'The wall is wet.\nWait an hour.\n' });
    expect(process.exitCode).toBe(1);
  });

  test('prints its help on stdout without doing anything', async () => {
    const action = vi.fn(async () => undefined);
    await runCommand(SPEC, action, ['--help']);
    expect(printed.stdout).toContain('Usage: npm run paint');
    expect(action).not.toHaveBeenCalled();
  });
});

describe('the database of a command', () => {
  test('is opened, and its connection tells which command it is of', async () => {
    const test = await createTestDatabase();
    const database = await openCommandDatabase({ command: 'paint', url: test.url });
    const { rows } = await database.client.query("SELECT current_setting('application_name') AS name");
    await database.close();
    await test.drop();
    expect(rows).toEqual([{ name: 'tenantry paint' }]);
  });

  test('that cannot be reached is named without its password, with a remedy', async () => {
    const url = `postgresql://someone:secret@127.0.0.1:${await findFreePort()}/app`;
    const error = await openCommandDatabase({ command: 'paint', url }).catch(describeError);
    expect(error).toMatch(
      /^The database app at 127\.0\.0\.1:\d+ cannot be reached as someone: .*ECONNREFUSED.*\nCheck that PostgreSQL runs/,
    );
    expect(error).not.toContain('secret');
  });

  test('that does not exist is to be migrated', async () => {
    const gone = await createEmptyDatabase();
    await gone.drop();
    const error = await openCommandDatabase({ command: 'paint', url: gone.url }).catch(describeError);
    expect(error).toMatch(/does not exist.*\nCreate it and its tables: npm run db:migrate/);
  });

  test('that is not migrated is refused with the command to run', async () => {
    const empty = await createEmptyDatabase();
    const error = await openCommandDatabase({ command: 'paint', url: empty.url }).catch(describeError);
    await empty.drop();
    expect(error).toMatch(/not migrated.*tenants.*\nRun: npm run db:migrate/);
  });

  test('is migrated when it is the embedded one and is not', { timeout: 60_000 }, async () => {
    const empty = await createEmptyDatabase();
    const released = vi.fn(async () => {});
    const acquireEmbedded = async () => ({ url: empty.url, release: released });
    const log = vi.fn();
    const database = await openCommandDatabase({ command: 'paint', url: '', log, acquireEmbedded });
    const { rows } = await database.client.query('SELECT FROM transactions');
    await database.close();
    await empty.drop();
    expect([rows.length, log.mock.calls]).toEqual([0, [['migrating the embedded database']]]);
    expect(released).toHaveBeenCalledOnce();
  });

  test('tells in its own words what it refused', async () => {
    const test = await createTestDatabase();
    const { client, close } = await openCommandDatabase({ command: 'paint', url: test.url });
    const error = await client.query('SELECT 1 FROM no_such_table').catch(describeError);
    await close();
    await test.drop();
    expect(error).toContain('relation "no_such_table" does not exist (SQLSTATE 42P01)');
  });
});
