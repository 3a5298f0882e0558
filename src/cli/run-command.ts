import pg from 'pg';

import { EmbeddedPostgresError } from '../embedded/index.mjs';
import { OperatorError } from '../errors.ts';
import { SettingError } from '../setting.mjs';
import { type CommandLine, type CommandSpec, helpOf, type OptionSpecs, parseCommandLine } from './command-line.ts';

/** How pg words it, and Node.js. */
const LOST_CONNECTION = /^Connection terminated|ECONNRESET|EPIPE/;

/** What to do about those that are nobody's programming error, by SQLSTATE. */
const REMEDIES: Readonly<Record<string, string>> = {
  '25006': 'Give the DATABASE_URL of the primary server, and a login and a database that are not set to read only.',
  '42501':
    'A login of the service gets its rights by: npm run db:grant -- --role <login>. What changes tables needs the login that migrates.',
  '53100': 'Make room on the disk of the database, and run it again.',
  '53200': 'Give the database more memory, and run it again.',
  '57P01': 'The connection was ended by an administrator; run it again.',
  '57014': 'The statement was cancelled; run it again.',
  '40P01': 'Another transaction wanted the same rows in another order; run it again.',
  '55P03': 'Another session holds a lock on what this needs; run it again when that has ended.',
};

/**
 * Runs a command from its arguments to its exit code. Errors are printed on stderr, with what to do
 * about them and without a stack (LOG_LEVEL=debug shows it).
 * @param action the command itself; the number it gives is the exit code, 0 when it gives none
 */
export async function runCommand<Options extends OptionSpecs>(
  spec: CommandSpec<Options>,
  action: (line: CommandLine<Options>) => Promise<number | undefined>,
  argv: readonly string[] = process.argv.slice(2),
): Promise<void> {
  try {
    const line = parseCommandLine(spec, argv);
    if (line === 'help') process.stdout.write(`${helpOf(spec)}\n`);
    else process.exitCode = (await action(line)) ?? 0;
  } catch (error) {
    process.stderr.write(`${describeError(error)}\n`);
    process.exitCode = 1;
  }
}

/** An error as the person at the terminal reads it. */
export function describeError(error: unknown): string {
  const lines = [...messageOf(error)];
  if (process.env.LOG_LEVEL === 'debug' && error instanceof Error) lines.push(error.stack ?? '');
  return lines.join('\n');
}

function messageOf(error: unknown): string[] {
  if (error instanceof OperatorError) return [error.message, error.remedy];
  if (error instanceof EmbeddedPostgresError || error instanceof SettingError) return [error.message];
  if (error instanceof pg.DatabaseError) return describeDatabaseError(error);
  const message = error instanceof Error ? error.message : String(error);
  if (LOST_CONNECTION.test(message))
    return ['The connection to the database was lost.', 'See that it is running, and run this again.'];
  return [`Failed unexpectedly: ${message}`, 'Run it again with LOG_LEVEL=debug to see where, and report it.'];
}

function describeDatabaseError({ message, code, detail, hint }: pg.DatabaseError): string[] {
  const told = [`PostgreSQL refused: ${message} (SQLSTATE ${code})`, detail, hint].filter((line) => line !== undefined);
  const remedy =
    REMEDIES[code ?? ''] ?? (hint === undefined ? 'Run it again with LOG_LEVEL=debug to see where.' : null);
  return remedy === null ? told : [...told, remedy];
}
