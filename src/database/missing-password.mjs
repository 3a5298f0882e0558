// Plain JavaScript, so that Prisma's engine says it as the service does.
import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

/** What node-postgres says of a password that it does not have. */
const WITHOUT_PASSWORD = /client password must be a string/;
const WRONG_PASSWORD = '28P01';
const READ_BY_OTHERS = 0o077;
const PERMISSIONS = 0o777;

/**
 * Ends a connection that could not be opened, and waits for nothing. The driver leaves it where it
 * has no password: PostgreSQL waits for that for a minute, and meanwhile with it whoever makes or
 * drops a database.
 * @param {import('pg').Client} client
 */
export function endUnconnected(client) {
  client.end().catch(() => {}); // why it failed is told by who could not open it
}

/**
 * Why a connection failed that had no password: what the driver looked for one in, and what helps.
 * @param {import('pg').Client} client what could not be connected
 * @param {string} setting that gives its URL
 * @param {{ code?: string | undefined, message: string }} cause
 * @returns {{ reason: string, remedy: string } | undefined} undefined when it had one
 */
export function missingPassword(client, setting, { code, message }) {
  if (!WITHOUT_PASSWORD.test(message) && !(code === WRONG_PASSWORD && client.password == null)) return undefined;
  const orGive = `or give the password in ${setting}.`;
  if ('PGPASSWORD' in process.env)
    return {
      reason: `no password: ${setting} has none and PGPASSWORD is empty`,
      remedy: `Set PGPASSWORD, unset it so that PGPASSFILE is read, ${orGive}`,
    };
  const { name, file } = passwordFile();
  const fault = faultOf(file) ?? {
    what: `has no line for ${client.user} at ${client.host}:${client.port}/${client.database}`,
    remedy: `Add the line ${[client.host, client.port, client.database, client.user].map(escaped).join(':')}:<password> to it`,
  };
  return {
    reason: `no password: ${setting} has none and ${name} (${file}) ${fault.what}`,
    remedy: `${fault.remedy}, ${orGive}`,
  };
}

/** Where node-postgres looks. */
function passwordFile() {
  const { PGPASSFILE, APPDATA, HOME } = process.env;
  if (PGPASSFILE) return { name: 'PGPASSFILE', file: PGPASSFILE };
  if (process.platform === 'win32')
    return { name: 'its default file', file: path.join(APPDATA || homedir(), 'postgresql', 'pgpass.conf') };
  return { name: 'its default file', file: path.join(HOME || './', '.pgpass') };
}

/**
 * What keeps the driver from reading the file.
 * @param {string} file
 */
function faultOf(file) {
  try {
    const stats = statSync(file);
    if (!stats.isFile()) return { what: 'is no file', remedy: 'Name a file in PGPASSFILE' };
    const mode = stats.mode & PERMISSIONS;
    if (process.platform !== 'win32' && mode & READ_BY_OTHERS)
      return {
        what: `is ignored, since it is readable or writable by others (mode 0${mode.toString(8)})`,
        remedy: `Run: chmod 600 ${file}`,
      };
    accessSync(file, constants.R_OK);
    return undefined;
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    return { what: `cannot be read (${code})`, remedy: 'Name in PGPASSFILE a file that can be' };
  }
}

/**
 * A field of a line.
 * @param {string | number | undefined} field
 */
function escaped(field) {
  return String(field).replace(/[:\\]/g, '\\$&');
}
