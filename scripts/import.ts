import { recorded } from '../src/audit/operator-line.ts';
import type { CommandSpec } from '../src/cli/command-line.ts';
import { Progress } from '../src/cli/progress.ts';
import { runCommand } from '../src/cli/run-command.ts';
import { openCommandDatabase } from '../src/commands/command-database.ts';
import { importAction, importFolder } from '../src/import/import-folder.ts';
import { defaultRejectsPath, formatResult, hasRejects } from '../src/import/import-report.ts';

const REJECTED_EXIT_CODE = 2;

const WRITTEN_TABLES = ['tenants', 'bank_accounts', 'transactions'];

const SPEC = {
  name: 'import',
  summary:
    'Imports tenants, accounts and transactions from CSV files (.csv, .csv.gz or .csv.zst; whole or in parts).\n' +
    'The same folder twice doubles nothing; what differs from the database is brought to what the files say.',
  arguments: [{ name: 'folder', description: 'the folder that holds tenants.csv, accounts.csv and transactions.csv' }],
  options: {
    rejects: {
      type: 'string',
      value: '<file>',
      description: 'Where rejected rows go.\nDefault: ./import-rejects-<time>.csv, when there are some.',
    },
    'dry-run': { type: 'boolean', description: 'Do all of it and take it back: shows what an import would do.' },
  },
  exitCodes: {
    1: 'failed; the message says why, and the database is as it was',
    2: 'imported, but for the rows in the rejects file',
  },
  notes:
    'The database is the one DATABASE_URL names, else the embedded one. The format and what an import does with\n' +
    'rows that are there already stand in docs/import.md.',
} as const satisfies CommandSpec;

await runCommand(SPEC, async ({ options, arguments: [folder = ''] }) => {
  const startedAt = performance.now();
  const progress = new Progress();
  const log = (line: string) => progress.log(line);
  const database = await openCommandDatabase({ command: SPEC.name, writes: WRITTEN_TABLES, log });
  try {
    const work = () =>
      importFolder({
        client: database.client,
        folder,
        rejectsPath: options.rejects ?? defaultRejectsPath(new Date()),
        alwaysWriteRejects: options.rejects !== undefined,
        dryRun: options['dry-run'],
        update: (line) => progress.update(line),
      });
    const result = options['dry-run'] ? await work() : await recorded(database.client, importAction(folder), work);
    progress.close();
    process.stdout.write(`${formatResult(result, performance.now() - startedAt, options['dry-run'])}\n`);
    return hasRejects(result) ? REJECTED_EXIT_CODE : 0;
  } finally {
    progress.close();
    await database.close();
  }
});
