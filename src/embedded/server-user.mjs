// PostgreSQL refuses to run as root. Started by root, it runs as an ordinary user of the system.
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';

import { EmbeddedPostgresError } from './errors.mjs';

/**
 * @typedef {object} ServerUser
 * @property {number} uid
 * @property {number} gid
 */

const USER_NAME = 'postgres';
/** Tried in this order where no user of PostgreSQL's own can be made. */
const FALLBACK_NAMES = ['nobody', 'daemon', 'www-data'];

/**
 * Who runs the server.
 * @param {string} dataDirectory what an existing cluster's owner is read from: the server must be
 *   its owner
 * @param {(line: string) => void} log
 * @returns {ServerUser | undefined} undefined: whoever runs this process
 */
export function chooseServerUser(dataDirectory, log) {
  if (process.getuid?.() !== 0) return undefined;
  const owner = statSync(dataDirectory, { throwIfNoEntry: false });
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  return findUser(USER_NAME) ?? createUser(log) ?? FALLBACK_NAMES.map(findUser).find(Boolean) ?? refuse();
}

/**
 * @param {string} name
 * @returns {ServerUser | undefined}
 */
function findUser(name) {
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find((fields) => fields[0] === name);
  return entry && { uid: Number(entry[2]), gid: Number(entry[3]) };
}

/** @param {(line: string) => void} log */
function createUser(log) {
  try {
    const flags = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin'];
    execFileSync('useradd', [...flags, USER_NAME], { stdio: 'pipe' });
    log(`made the system user ${USER_NAME}: PostgreSQL refuses to run as root`);
  } catch (error) {
    log(`the system user ${USER_NAME} could not be made (${/** @type {Error} */ (error).message.trim()})`);
  }
  return findUser(USER_NAME);
}

/** @returns {never} */
function refuse() {
  throw new EmbeddedPostgresError(
    `PostgreSQL refuses to run as root, and there is no user ${[USER_NAME, ...FALLBACK_NAMES].join(', ')} to run it as. ` +
      `Make one (useradd --system ${USER_NAME}), run this as an ordinary user, or set DATABASE_URL.`,
  );
}
