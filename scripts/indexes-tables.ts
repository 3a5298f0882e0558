import type { CommandSpec } from '../src/cli/command-line.ts';
import { runCommand } from '../src/cli/run-command.ts';
import { showUsage, USAGE } from '../src/commands/usage-command.ts';
import { readTableUsage } from '../src/indexes/usage.ts';
import { formatTables } from '../src/indexes/usage-report.ts';

const SPEC = {
  ...USAGE,
  name: 'indexes:tables',
  summary: 'Shows the figures of each table and its verdict: rows, dead rows, sizes, scans, last vacuum and analyze.',
} as const satisfies CommandSpec;

await runCommand(SPEC, ({ options }) => showUsage(SPEC.name, options, readTableUsage, formatTables));
