import { recorded } from '../src/audit/operator-line.ts';
import { type CommandSpec, wholeNumber } from '../src/cli/command-line.ts';
import { formatBytes, formatDuration } from '../src/cli/format.ts';
import { runCommand } from '../src/cli/run-command.ts';
import { openCommandDatabase } from '../src/commands/command-database.ts';
import { tablesOf } from '../src/database/tables.ts';
import { createIndexes } from '../src/indexes/apply.ts';
import { chosenModels, MODEL_OPTIONS } from '../src/indexes/command-options.ts';

const CONFLICT_EXIT_CODE = 2;

const SPEC = {
  name: 'indexes:create',
  summary:
    'Creates what the catalogue of indexes lists and the database lacks, and rebuilds what is invalid, one after\n' +
    'another and without blocking reads or writes (CREATE INDEX CONCURRENTLY). Prints every statement before it runs.',
  options: {
    ...MODEL_OPTIONS,
    'lock-timeout': {
      type: 'string',
      value: '<seconds>',
      default: '10',
      description: 'How long an index waits for other transactions.',
    },
    'dry-run': { type: 'boolean', description: 'Print the statements and change nothing.' },
  },
  exitCodes: { 2: 'an index is not as the catalogue says; what to do is printed' },
  notes: 'The database is the one DATABASE_URL names, else the embedded one. What each index is for: docs/indexes.md.',
} as const satisfies CommandSpec;

await runCommand(SPEC, async ({ options }) => {
  const tables = tablesOf(chosenModels(options));
  const lockTimeoutMs = wholeNumber('lock-timeout', options['lock-timeout'], 1, 86_400) * 1000;
  const database = await openCommandDatabase({ command: SPEC.name });
  const say = (line: string) => process.stdout.write(`${line}\n`);
  try {
    const work = () =>
      createIndexes(database.client, {
        tables,
        lockTimeoutMs,
        dryRun: options['dry-run'],
        onStatement: (sql, reason) => say(`${sql}  -- ${reason}`),
        onCreated: ({ index, durationMs, sizeBytes }) =>
          say(`${index}: done in ${formatDuration(durationMs)}, ${formatBytes(sizeBytes)}`),
      });
    const action = { action: SPEC.name, tenantId: null, key: null };
    const { steps, conflicts } = options['dry-run'] ? await work() : await recorded(database.client, action, work);
    for (const conflict of conflicts) say(conflict);
    if (!steps.length && !conflicts.length) say('Every index of the catalogue is there.');
    return conflicts.length ? CONFLICT_EXIT_CODE : 0;
  } finally {
    await database.close();
  }
});
