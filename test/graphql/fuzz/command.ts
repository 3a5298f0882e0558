import { type CommandSpec, wholeNumber } from '../../../src/cli/command-line.ts';
import { formatCount } from '../../../src/cli/format.ts';
import { Progress } from '../../../src/cli/progress.ts';
import { runCommand } from '../../../src/cli/run-command.ts';
import setUp from '../../support/global-setup.ts';
import { describeDifference } from './difference.ts';
import { runFuzz } from './run-fuzz.ts';

const DIFFERENT_EXIT_CODE = 2;
const MAX_SHOWN = 10;

const SPEC = {
  name: 'fuzz',
  summary:
    'Executes generated operations again and again, compiled and by graphql-js, and one in twenty through HTTP and the\n' +
    'cache. All answers must be the same, byte for byte.',
  options: {
    operations: { type: 'string', value: '<n>', default: '10000', description: 'How many.' },
    seed: { type: 'string', value: '<n>', default: '1', description: 'Of the first; each one after it has the next.' },
  },
  exitCodes: { [DIFFERENT_EXIT_CODE]: 'answers differ; they are shown with the operation and its variables' },
  notes: 'It starts a PostgreSQL of its own and removes it. The same seed makes the same operation.',
} as const satisfies CommandSpec;

// Most errors of these answers are expected, and nobody reads where they were made.
Error.stackTraceLimit = 0;

await runCommand(SPEC, async ({ options }) => {
  const operations = wholeNumber('operations', options.operations, 1, 1_000_000_000);
  const seed = wholeNumber('seed', options.seed, 0, 1_000_000_000);
  const progress = new Progress();
  const tearDown = await setUp();
  try {
    let differences = 0;
    const { compiled, hits } = await runFuzz({
      operations,
      seed,
      onOperation(done, difference) {
        if (difference && ++differences <= MAX_SHOWN) progress.log(`${describeDifference(difference)}\n`);
        progress.update(
          () => `${formatCount(done)} of ${formatCount(operations)} operations, ${formatCount(differences)} different`,
        );
      },
    });
    process.stdout.write(
      `${formatCount(operations)} operations from seed ${seed}: ${formatCount(differences)} different ` +
        `(${formatCount(compiled)} executions by compiled code, ${formatCount(hits)} answers from the cache)\n`,
    );
    return differences > 0 ? DIFFERENT_EXIT_CODE : 0;
  } finally {
    progress.close();
    await tearDown();
  }
});
