import type { CommandSpec } from '../src/cli/command-line.ts';
import { runCommand } from '../src/cli/run-command.ts';
import { openCommandDatabase } from '../src/commands/command-database.ts';
import { analyzeIndexes } from '../src/indexes/analyze.ts';
import { chosenModels, JSON_OPTION, MODEL_OPTIONS } from '../src/indexes/command-options.ts';
import { unmarkedComparisons } from '../src/indexes/leakproof.ts';
import { readCountingSince, readIndexUsage } from '../src/indexes/usage.ts';
import { formatAnalysis } from '../src/indexes/usage-report.ts';

const SPEC = {
  name: 'indexes:analyze',
  summary: 'Shows each index with its size, its use, what it is for, and what to think of it.',
  options: { ...MODEL_OPTIONS, ...JSON_OPTION },
  notes:
    'Verdicts: used, unused, kept, duplicate, covered, invalid, bloated. Counters begin at the last reset of statistics.',
} as const satisfies CommandSpec;

await runCommand(SPEC, async ({ options }) => {
  const models = chosenModels(options);
  const database = await openCommandDatabase({ command: SPEC.name });
  try {
    const countingSince = await readCountingSince(database.client);
    const indexes = analyzeIndexes(await readIndexUsage(database.client, models), countingSince);
    const notLeakproof = await unmarkedComparisons(database.client);
    const text = options.json
      ? JSON.stringify({ countingSince, indexes, notLeakproof }, null, 2)
      : formatAnalysis(indexes, notLeakproof);
    process.stdout.write(`${text}\n`);
    return 0;
  } finally {
    await database.close();
  }
});
