import type { CommandLine, CommandSpec } from '../cli/command-line.ts';
import type { Result } from '../doctor/check.ts';
import { examine } from '../doctor/doctor.ts';
import { reportText } from '../doctor/report.ts';
import { findRunningEmbeddedPostgres } from '../embedded/index.mjs';
import { JSON_OPTION } from '../indexes/command-options.ts';

const OPTIONS = {
  ...JSON_OPTION,
  strict: { type: 'boolean', description: 'Warnings count for the exit code, too.' },
} as const;

const FAULTY = 2;
const WARNED = 3;

export const DOCTOR: CommandSpec<typeof OPTIONS> = {
  name: 'doctor',
  summary:
    'Looks at everything that can be wrong with the service’s surroundings, and says what to do: settings, secrets,\n' +
    'PostgreSQL, its objects and rights, connections, clocks, the outbox, Redis. Run it with the settings of the service.',
  options: OPTIONS,
  exitCodes: { [FAULTY]: 'there are faults', [WARNED]: 'with --strict: there are warnings, and no faults' },
  notes:
    'Nothing is changed, and no secret is printed. A check that cannot look says why, and the others go on. Without\n' +
    'DATABASE_URL the embedded PostgreSQL is looked at while npm start runs.',
};

export async function doctorCommand({ options }: CommandLine<typeof OPTIONS>): Promise<number> {
  const results = await examine({ embeddedUrl: await findRunningEmbeddedPostgres() });
  process.stdout.write(options.json ? `${JSON.stringify({ checks: results }, null, 2)}\n` : reportText(results));
  return exitCodeOf(results, options.strict);
}

function exitCodeOf(results: readonly Result[], strict: boolean): number {
  if (results.some(({ status }) => status === 'fault')) return FAULTY;
  return strict && results.some(({ status }) => status === 'warning') ? WARNED : 0;
}
