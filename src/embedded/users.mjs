// Who uses the running server: one empty file for each, named after its process. Read and written
// under the lock.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { identityOf, isIdentityAlive } from './process-identity.mjs';

/**
 * @param {string} directory made when missing
 * @returns {() => void} takes the user out again
 */
export function registerUser(directory) {
  mkdirSync(directory, { recursive: true });
  const file = path.join(directory, `${identityOf()}_${randomBytes(4).toString('hex')}`);
  writeFileSync(file, '');
  return () => rmSync(file, { force: true });
}

/**
 * Whether any process that still runs uses the server. Forgets those that ended without saying so.
 * @param {string} directory
 * @returns {boolean}
 */
export function hasLiveUsers(directory) {
  mkdirSync(directory, { recursive: true });
  return readdirSync(directory).some((file) => {
    const alive = isIdentityAlive(file.split('_')[0] ?? '');
    if (!alive) rmSync(path.join(directory, file), { force: true });
    return alive;
  });
}
