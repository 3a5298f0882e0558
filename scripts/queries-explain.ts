import type { CommandSpec } from '../src/cli/command-line.ts';
import { runCommand } from '../src/cli/run-command.ts';
import { openCommandDatabase } from '../src/commands/command-database.ts';
import { StateError } from '../src/errors.ts';
import { explainQueries, isFaulty } from '../src/indexes/explain-queries.ts';
import { explainedAsJson, formatExplained } from '../src/indexes/explain-report.ts';

const FAULTY_EXIT_CODE = 2;

const SPEC = {
  name: 'queries:explain',
  summary:
    "Shows the plans of the product's own queries for a small and for the largest tenant, as the service sees them:\n" +
    'held to row-level security, with values and as the generic plan of a prepared statement. Executes nothing.',
  options: {
    plans: { type: 'boolean', description: 'Show every plan in full, not only the faulty ones.' },
    json: { type: 'boolean', description: 'For programs: everything, with the plans of EXPLAIN (FORMAT JSON).' },
  },
  exitCodes: { [FAULTY_EXIT_CODE]: 'a query lacks its index, or reads a whole table that the index would spare' },
  notes: 'The database is the one DATABASE_URL names, else the embedded one.',
} as const satisfies CommandSpec;

await runCommand(SPEC, async ({ options }) => {
  const database = await openCommandDatabase({ command: SPEC.name });
  try {
    const explained = await explainQueries(database.client);
    if (!explained.length)
      throw new StateError('No tenant has an account: there is nothing to plan for.', 'Fill it: npm run db:seed');
    const text = options.json
      ? JSON.stringify(explainedAsJson(explained), null, 2)
      : formatExplained(explained, options.plans);
    process.stdout.write(`${text}\n`);
    return explained.some(isFaulty) ? FAULTY_EXIT_CODE : 0;
  } finally {
    await database.close();
  }
});
