import type { CommandSpec } from '../cli/command-line.ts';
import { findRunningEmbeddedPostgres } from '../embedded/index.mjs';
import { OperatorError } from '../errors.ts';
import { databaseUrl, refuseInProduction } from './command-database.ts';

export const URL_COMMAND: CommandSpec<Record<string, never>> = {
  name: 'db:url',
  summary:
    'Prints the URL of the database that commands work on, and nothing else on stdout: for psql and other programs,\n' +
    'as psql "$(npm run --silent db:url)".',
  options: {},
  notes:
    'It is DATABASE_DIRECT_URL or DATABASE_URL, else that of the embedded database, which runs while npm start or\n' +
    'npm run dev does. The login of the embedded database is a superuser, and the URL has its password.',
};

/**
 * The URL to connect to.
 * @param findEmbedded how the embedded database is found; for tests
 * @throws OperatorError when the embedded database does not run, or would be taken in production
 */
export async function urlCommand(findEmbedded = findRunningEmbeddedPostgres): Promise<string> {
  const given = databaseUrl();
  if (!given) refuseInProduction();
  const url = given ?? (await findEmbedded());
  if (url !== undefined) return url;
  throw new OperatorError(
    'DATABASE_URL is not set, and the embedded database does not run.',
    'Start it with npm start in another terminal, or set DATABASE_URL.',
  );
}
