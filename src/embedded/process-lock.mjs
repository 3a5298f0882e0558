// A lock between processes that a killed holder cannot leave behind. Lamport's bakery: each
// contender writes only files of its own, draws a number above those it sees, and waits for the
// lower numbers of processes that still live. So nobody ever has to break a lock, which is where
// lock files go wrong.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { identityOf, isIdentityAlive } from './process-identity.mjs';

const POLL_MS = 15;
const NOTICE_MS = 250;
const DEFAULT_TIMEOUT_MS = 180_000;

/**
 * @typedef {object} LockOptions
 * @property {number} [timeoutMs] how long to wait for the others; 180,000 when absent
 * @property {(holderPid: number) => void} [onWait] called once, when the wait is long enough for a
 *   person to notice
 */

/**
 * @typedef {object} Entry a contender's file, `choosing_0_<identity>_<random>` or
 *   `ticket_<number>_<identity>_<random>`
 * @property {string} file
 * @property {boolean} choosing
 * @property {number} number
 * @property {string} identity
 * @property {string} id orders contenders that drew the same number
 */

/**
 * Runs `work` while no other holder of the lock on the same folder runs, in this process or
 * another.
 * @template T
 * @param {string} directory the lock's own folder, made when missing
 * @param {() => Promise<T>} work
 * @param {LockOptions} [options]
 * @returns {Promise<T>} what `work` returned
 */
export async function withProcessLock(directory, work, options = {}) {
  mkdirSync(directory, { recursive: true });
  const own = drawTicket(directory);
  try {
    await waitForTurn(directory, own, options);
    return await work();
  } finally {
    rmSync(path.join(directory, own.file), { force: true });
  }
}

/**
 * @param {string} directory
 * @returns {Entry}
 */
function drawTicket(directory) {
  const identity = identityOf();
  const id = `${identity}_${randomBytes(4).toString('hex')}`;
  const choosing = path.join(directory, `choosing_0_${id}`);
  writeFileSync(choosing, '');
  try {
    const number = 1 + Math.max(0, ...liveEntries(directory).map((entry) => entry.number));
    const file = `ticket_${number}_${id}`;
    writeFileSync(path.join(directory, file), '');
    return { file, choosing: false, number, identity, id };
  } finally {
    rmSync(choosing, { force: true });
  }
}

/**
 * @param {string} directory
 * @param {Entry} own
 * @param {LockOptions} options
 */
async function waitForTurn(directory, own, { timeoutMs = DEFAULT_TIMEOUT_MS, onWait }) {
  const began = Date.now();
  let told = false;
  for (let clear = 0; clear < 2; ) {
    const ahead = liveEntries(directory).find((entry) => isAhead(entry, own));
    // Twice, since one listing of a folder can miss a contender that swaps its two files meanwhile.
    clear = ahead ? 0 : clear + 1;
    if (!ahead) continue;
    const waitedMs = Date.now() - began;
    if (waitedMs > timeoutMs) throw new Error(timeoutMessage(directory, ahead, timeoutMs));
    if (waitedMs > NOTICE_MS && !told) onWait?.(Number.parseInt(ahead.identity, 10));
    told ||= waitedMs > NOTICE_MS;
    await delay(POLL_MS);
  }
}

/**
 * @param {Entry} other
 * @param {Entry} own
 */
function isAhead(other, own) {
  if (other.id === own.id) return false;
  return other.choosing || other.number < own.number || (other.number === own.number && other.id < own.id);
}

/**
 * @param {string} directory
 * @returns {Entry[]}
 */
function liveEntries(directory) {
  return readdirSync(directory).flatMap((file) => {
    const [kind, number, identity, random] = file.split('_');
    if (!kind || !identity || !random) return [];
    if (isIdentityAlive(identity)) {
      return [{ file, choosing: kind === 'choosing', number: Number(number), identity, id: `${identity}_${random}` }];
    }
    rmSync(path.join(directory, file), { force: true });
    return [];
  });
}

/**
 * @param {string} directory
 * @param {Entry} holder
 * @param {number} timeoutMs
 */
function timeoutMessage(directory, holder, timeoutMs) {
  const pid = Number.parseInt(holder.identity, 10);
  return `Process ${pid} has held the lock ${directory} for more than ${timeoutMs / 1000} s. Wait for it, or end it (kill ${pid}).`;
}
