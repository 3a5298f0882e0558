import type { CommandSpec } from '../src/cli/command-line.ts';
import { runCommand } from '../src/cli/run-command.ts';
import { showUsage, USAGE } from '../src/commands/usage-command.ts';
import { readIndexUsage } from '../src/indexes/usage.ts';
import { formatUsage } from '../src/indexes/usage-report.ts';

const SPEC = {
  ...USAGE,
  name: 'indexes:usage',
  summary: 'Shows the raw figures of each index: size, scans, entries read, pages found in memory.',
} as const satisfies CommandSpec;

await runCommand(SPEC, ({ options }) => showUsage(SPEC.name, options, readIndexUsage, formatUsage));
