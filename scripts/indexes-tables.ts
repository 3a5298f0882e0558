import type { CommandSpec } from '../src/cli/command-line.ts';
import { runCommand } from '../src/cli/run-command.ts';
import { openCommandDatabase } from '../src/commands/command-database.ts';
import { chosenModels, JSON_OPTION, MODEL_OPTIONS } from '../src/indexes/command-options.ts';
import { readTableUsage } from '../src/indexes/usage.ts';
import { formatTables } from '../src/indexes/usage-report.ts';

const SPEC = {
  name: 'indexes:tables',
  summary: 'Shows the raw figures of each table: rows, dead rows, sizes, scans, last vacuum and analyze.',
  options: { ...MODEL_OPTIONS, ...JSON_OPTION },
  notes: 'Counters begin at the last reset of statistics.',
} as const satisfies CommandSpec;

await runCommand(SPEC, async ({ options }) => {
  const models = chosenModels(options);
  const database = await openCommandDatabase({ command: SPEC.name });
  try {
    const usage = await readTableUsage(database.client, models);
    process.stdout.write(`${options.json ? JSON.stringify(usage, null, 2) : formatTables(usage)}\n`);
    return 0;
  } finally {
    await database.close();
  }
});
