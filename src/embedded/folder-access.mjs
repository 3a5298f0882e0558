// Folders that the server's user may enter, which is not whoever made the clone where root did.
import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { EmbeddedPostgresError } from './errors.mjs';

/** @typedef {import('./server-user.mjs').ServerUser} ServerUser */

/** The system's folder for what programs keep. */
const STATE_DIRECTORY = '/var/lib/tenantry';

/**
 * Whether that user may enter every folder above `target`, and enter (a folder) or read (a file)
 * `target` itself. Goes by the mode bits, of which only one triple counts: the owner's, the group's
 * or the others'.
 * @param {string} target absolute path; what does not exist yet counts as reachable
 * @param {ServerUser} user
 * @returns {boolean}
 */
export function isReachableBy(target, user) {
  const parent = path.dirname(target);
  if (parent !== target && !isReachableBy(parent, user)) return false;
  const stats = statSync(target, { throwIfNoEntry: false });
  if (!stats) return true;
  const shift = stats.uid === user.uid ? 6 : stats.gid === user.gid ? 3 : 0;
  return ((stats.mode >> shift) & (stats.isDirectory() ? 0o1 : 0o4)) !== 0;
}

/**
 * Makes a folder that everybody may enter, whatever this process's umask says.
 * @param {string} directory
 */
export function makeOpenFolder(directory) {
  const first = mkdirSync(directory, { recursive: true });
  for (let folder = directory; first && folder.startsWith(first); folder = path.dirname(folder)) {
    chmodSync(folder, 0o755);
  }
}

/**
 * The folder that takes the place of one the server's user may not enter: under a name made from
 * that one's path, the same at every call.
 * @param {string} directory
 * @returns {string} absolute path of a folder that exists
 */
export function substituteFor(directory) {
  const name = createHash('sha256').update(path.resolve(directory)).digest('hex').slice(0, 16);
  const base = isWritable(path.dirname(STATE_DIRECTORY)) ? STATE_DIRECTORY : path.join(tmpdir(), 'tenantry');
  for (const folder of [base, path.join(base, name)]) makeOwnFolder(folder);
  return path.join(base, name);
}

/**
 * A copy of the programs that everybody may read, made once for each version.
 * @param {string} native
 * @param {string} substitute
 * @returns {string} the copy
 */
export function copyBinaries(native, substitute) {
  /** @type {{ version: string }} */
  const { version } = JSON.parse(readFileSync(path.join(native, '..', 'package.json'), 'utf8'));
  const copy = path.join(substitute, `native-${version}`);
  if (existsSync(copy)) return copy;
  const unfinished = path.join(substitute, 'native.unfinished');
  rmSync(unfinished, { recursive: true, force: true });
  copyReadable(native, unfinished);
  renameSync(unfinished, copy);
  return copy;
}

/** @param {string} directory */
function isWritable(directory) {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * In a temporary folder anybody could have put one of that name there before.
 * @param {string} folder
 */
function makeOwnFolder(folder) {
  mkdirSync(folder, { recursive: true });
  const stats = lstatSync(folder);
  if (!stats.isDirectory() || stats.uid !== process.getuid?.()) {
    throw new EmbeddedPostgresError(`${folder} is not a folder of this user's own. Remove it, or set DATABASE_URL.`);
  }
  chmodSync(folder, 0o755);
}

/**
 * @param {string} source
 * @param {string} target
 */
function copyReadable(source, target) {
  const stats = lstatSync(source);
  if (stats.isSymbolicLink()) return symlinkSync(readlinkSync(source), target);
  if (!stats.isDirectory()) {
    copyFileSync(source, target);
    return chmodSync(target, stats.mode & 0o111 ? 0o755 : 0o644);
  }
  mkdirSync(target);
  chmodSync(target, 0o755);
  for (const name of readdirSync(source)) copyReadable(path.join(source, name), path.join(target, name));
}
