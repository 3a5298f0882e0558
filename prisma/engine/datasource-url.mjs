import { parseArgs } from 'node:util';

import { settingOf } from '../../src/setting.mjs';

/** @type {Record<string, string[]>} */
const CONNECTING = {
  migrate: ['dev', 'deploy', 'status', 'reset', 'resolve', 'diff'],
  db: ['pull', 'push', 'execute', 'seed'],
};
/** Without one of these, a diff compares files alone. */
const CONNECTING_DIFF = /^--(from|to)-(migrations|config-datasource)(=|$)/;

/**
 * The URL of the database that a command of Prisma's works on: DATABASE_DIRECT_URL, DATABASE_URL,
 * or else the embedded PostgreSQL's, which is started for the command's time when it does not run.
 * @param {string[]} argv the command's words, as `['migrate', 'dev']`
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<string | undefined>} undefined when there is none and the command needs none
 */
export async function findDatasourceUrl(argv, env) {
  // A migration holds an advisory lock, which a pooler that shares sessions would leave behind.
  const given = settingOf(env, 'DATABASE_DIRECT_URL') ?? settingOf(env, 'DATABASE_URL');
  if (given) return given;
  if (!connects(argv)) return undefined;
  if (env.NODE_ENV === 'production') {
    throw new Error(
      'DATABASE_URL is not set: expected the URL of the PostgreSQL database, as postgresql://user:password@host:5432/name.',
    );
  }
  const { acquireEmbeddedPostgres } = await import('../../src/embedded/index.mjs');
  const { url } = await acquireEmbeddedPostgres({ log: (line) => process.stderr.write(`[tenantry] ${line}\n`) });
  return url;
}

/**
 * Whether the command connects to the database of the configuration.
 * @param {string[]} argv
 * @returns {boolean}
 */
export function connects(argv) {
  const { values, positionals } = parseArgs({
    args: argv,
    strict: false,
    options: {
      config: { type: 'string' },
      schema: { type: 'string' },
      url: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
      sql: { type: 'boolean' },
    },
  });
  const [command = '', subcommand = ''] = positionals;
  if (values.help || values.url) return false;
  if (command === 'studio') return true;
  if (command === 'generate') return values.sql === true;
  if (subcommand === 'diff') return argv.some((word) => CONNECTING_DIFF.test(word));
  return CONNECTING[command]?.includes(subcommand) ?? false;
}
