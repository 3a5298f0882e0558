// A stamp beside what a step made holds the state of what it was made from.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/**
 * @param {string} file
 * @param {string} state
 * @returns {boolean}
 */
export function hasStamp(file, state) {
  return existsSync(file) && readFileSync(file, 'utf8') === state;
}

/**
 * @param {string} file
 * @param {string} state
 */
export function writeStamp(file, state) {
  writeFileSync(file, state);
}

/**
 * @param {string} file
 * @returns {string} of its content; the empty string when there is no such file
 */
export function hashOfFile(file) {
  return existsSync(file) ? createHash('sha256').update(readFileSync(file)).digest('hex') : '';
}

/**
 * A file's or folder's state by sizes and times of change, which is quicker to read than all
 * content.
 * @param {string} entry
 * @returns {string}
 */
export function stateOf(entry) {
  const hash = createHash('sha256');
  for (const file of filesIn(entry)) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file}\0${size}\0${mtimeMs}\0`);
  }
  return hash.digest('hex');
}

/**
 * @param {string} entry
 * @returns {string[]} the file itself, or all files in the folder and below, in a fixed order; none
 *   if it is missing
 */
export function filesIn(entry) {
  const stats = statSync(entry, { throwIfNoEntry: false });
  if (!stats) return [];
  if (!stats.isDirectory()) return [entry];
  return readdirSync(entry, { recursive: true, withFileTypes: true })
    .filter((found) => found.isFile())
    .map((found) => path.join(found.parentPath, found.name))
    .sort();
}
