// Where the cluster and the programs lie: below the clone, unless the server runs as a user
// (server-user.mjs) that may not enter the clone.
import { realpathSync } from 'node:fs';
import path from 'node:path';

import { copyBinaries, isReachableBy, makeOpenFolder, substituteFor } from './folder-access.mjs';
import { chooseServerUser } from './server-user.mjs';

/** @typedef {import('./server-user.mjs').ServerUser} ServerUser */

/**
 * @typedef {object} Place where one embedded server keeps everything
 * @property {string} home
 * @property {string} data the cluster; belongs to the server's user
 * @property {string} log the server's own output; belongs to the server's user
 * @property {string} passwordFile the superuser's password
 * @property {string} users see users.mjs
 * @property {string} lock see process-lock.mjs
 * @property {ServerUser | undefined} user who runs the server; undefined: whoever runs this process
 */

/**
 * @param {string} directory where it is meant to lie
 * @param {(line: string) => void} log
 * @returns {Place}
 */
export function choosePlace(directory, log) {
  makeOpenFolder(directory);
  const home = realpathSync(directory);
  const user = chooseServerUser(path.join(home, 'data'), log);
  if (!user || isReachableBy(home, user)) return placeIn(home, user);
  const substitute = substituteFor(home);
  log(`the database lies in ${substitute}: PostgreSQL may not run as root, and its user may not enter ${home}`);
  return placeIn(substitute, chooseServerUser(path.join(substitute, 'data'), log));
}

/**
 * The programs, where the server's user can run them.
 * @param {string} native
 * @param {Place} place
 * @returns {string}
 */
export function reachableBinaries(native, { user }) {
  // One of the files that only initdb reads stands for all of them: a strict umask hides files as
  // folders do.
  const sample = path.join(native, 'share', 'postgresql', 'postgres.bki');
  return !user || isReachableBy(sample, user) ? native : copyBinaries(native, substituteFor(native));
}

/**
 * @param {string} home
 * @param {ServerUser} [user]
 * @returns {Place}
 */
export function placeIn(home, user) {
  return {
    home,
    user,
    data: path.join(home, 'data'),
    log: path.join(home, 'log'),
    passwordFile: path.join(home, 'password'),
    users: path.join(home, 'users'),
    lock: path.join(home, 'lock'),
  };
}
