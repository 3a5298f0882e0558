import path from 'node:path';

import { withProcessLock } from '../../src/embedded/process-lock.mjs';
import { BootstrapError } from './errors.mjs';
import { report } from './report.mjs';
import { awaitOrphan } from './step-process.mjs';

/**
 * An installation over a slow line takes minutes; whoever waits for it should not give up first.
 */
const LOCK_TIMEOUT_MS = 30 * 60_000;

/**
 * @typedef {object} Step something that a command needs
 * @property {(root: string) => boolean} isFresh whether it is there and current, found in
 *   milliseconds
 * @property {(root: string) => Promise<void>} make
 */

/**
 * Does the steps that have to be done. Where several processes find the same one undone, one does
 * it and the others wait.
 * @param {string} root
 * @param {Step[]} steps in the order in which they build on one another
 */
export async function prepare(root, steps) {
  if (steps.every((step) => step.isFresh(root))) return;
  const onWait = (/** @type {number} */ pid) => report(`waiting for process ${pid}, which prepares the project…`);
  try {
    await withProcessLock(lockOf(root), () => makeStale(root, steps), { timeoutMs: LOCK_TIMEOUT_MS, onWait });
  } catch (error) {
    const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') throw error;
    throw new BootstrapError(`${root} must be writable for its owner, who runs this: ${message}`);
  }
}

/**
 * @param {string} root
 * @param {Step[]} steps
 */
async function makeStale(root, steps) {
  await awaitOrphan(root);
  for (const step of steps) {
    if (!step.isFresh(root)) await step.make(root);
  }
}

/** @param {string} root */
function lockOf(root) {
  return path.join(root, '.tenantry', 'bootstrap', 'lock');
}
