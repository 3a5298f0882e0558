// The running server, as its own postmaster.pid tells of it.
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { EmbeddedPostgresError } from './errors.mjs';
import { commandLineOf, isProcessAlive } from './process-identity.mjs';

const POLL_MS = 20;
/** Long enough for the recovery after a crash in the middle of a large import. */
const READY_TIMEOUT_MS = 120_000;
const GONE_TIMEOUT_MS = 60_000;

/**
 * @typedef {object} Postmaster
 * @property {number} pid
 * @property {number} port
 */

/**
 * The server that runs on this cluster, waited for while it starts or stops.
 * @param {string} data the cluster's folder
 * @returns {Promise<Postmaster | undefined>} undefined: none runs
 */
export async function findPostmaster(data) {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    const found = readPostmaster(data);
    if (!found || !isPostmasterOf(found.pid, data)) return undefined;
    if (found.status === 'ready') return { pid: found.pid, port: found.port };
    if (Date.now() > deadline) {
      const waited = `has been "${found.status}" for ${READY_TIMEOUT_MS / 1000} s`;
      throw new EmbeddedPostgresError(
        `PostgreSQL (process ${found.pid}, ${data}) ${waited}: wait, or kill ${found.pid}.`,
      );
    }
    await delay(POLL_MS);
  }
}

/**
 * Stops the server in PostgreSQL's "fast" way: open transactions are rolled back, connections
 * closed.
 * @param {string} data
 * @param {Postmaster} postmaster
 */
export async function stopPostmaster(data, { pid }) {
  process.kill(pid, 'SIGINT');
  const deadline = Date.now() + GONE_TIMEOUT_MS;
  while (isPostmasterOf(pid, data)) {
    if (Date.now() > deadline) {
      throw new EmbeddedPostgresError(`PostgreSQL (process ${pid}, ${data}) does not stop. End it: kill -QUIT ${pid}`);
    }
    await delay(POLL_MS);
  }
}

/**
 * Takes away what a killed server left: its postmaster.pid, since PostgreSQL takes another process
 * that got the same pid, or one that nobody has reaped, for the server; and those of its children
 * that have not noticed, since they hold its shared memory.
 * @param {string} data
 */
export async function clearLeftovers(data) {
  if (!readPostmaster(data)) return;
  const deadline = Date.now() + GONE_TIMEOUT_MS;
  for (let orphans = orphansOf(data); orphans.length > 0; orphans = orphansOf(data)) {
    if (Date.now() > deadline) {
      throw new EmbeddedPostgresError(`Left over from a killed PostgreSQL: end processes ${orphans.join(', ')}.`);
    }
    // The write-ahead log makes good whatever this breaks off, as it does for the server's own
    // death.
    for (const pid of orphans) killIfThere(pid);
    await delay(POLL_MS);
  }
  rmSync(path.join(data, 'postmaster.pid'), { force: true });
}

/**
 * @param {string} data
 * @returns {(Postmaster & { status: string }) | undefined}
 */
function readPostmaster(data) {
  try {
    // Lines: pid, folder, start time, port, socket folder, address, shared memory, status.
    const lines = readFileSync(path.join(data, 'postmaster.pid'), 'utf8').split('\n');
    return { pid: Number(lines[0]), port: Number(lines[3]), status: lines[7]?.trim() ?? 'starting' };
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * @param {number} pid
 * @param {string} data
 */
function isPostmasterOf(pid, data) {
  return isProcessAlive(pid) && (commandLineOf(pid)?.includes(data) ?? true);
}

/**
 * The server's processes, known by their working folder. Only Linux tells it; elsewhere PostgreSQL
 * itself refuses to start while they are there.
 * @param {string} data
 */
function orphansOf(data) {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && workingFolderOf(pid) === data && isProcessAlive(pid));
}

/** @param {number} pid */
function workingFolderOf(pid) {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // Ended meanwhile, or another user's: not one of ours.
    return undefined;
  }
}

/** @param {number} pid */
function killIfThere(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}
