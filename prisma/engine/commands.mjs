import { createDatabase, parseTarget, withClient } from './connection.mjs';
import { EngineError } from './errors.mjs';
import { log } from './log.mjs';

/** @type {Record<string, (url: string | undefined) => Promise<string>>} */
const COMMANDS = {
  'can-connect-to-database': async (url) => {
    await withClient(parseTarget(url), (client) => client.query('SELECT 1'));
    return 'Connection successful';
  },
  'create-database': async (url) => {
    await createDatabase(parseTarget(url));
    return 'The database was successfully created.';
  },
};

/**
 * Runs what Prisma calls as `<engine> cli <name>`, and tells the outcome as log lines.
 * @param {string} name
 * @param {string | undefined} url
 * @returns {Promise<number>} the exit code
 */
export async function runCommand(name, url) {
  // Prisma leaves the first line out of account, whatever it says.
  log('INFO', 'Starting schema engine CLI');
  try {
    const command = COMMANDS[name];
    if (!command)
      throw new EngineError(undefined, `There is no command ${name}, only ${Object.keys(COMMANDS).join(', ')}.`);
    log('INFO', await command(url));
    return 0;
  } catch (error) {
    const { message, code } = /** @type {EngineError} */ (error);
    log('ERROR', message, { is_panic: false, ...(code && { error_code: code }) });
    return 1;
  }
}
