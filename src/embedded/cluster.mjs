// Makes a cluster and starts its server.
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';

import { locateBinaries, programIn } from './binaries.mjs';
import { EmbeddedPostgresError } from './errors.mjs';
import { reachableBinaries } from './place.mjs';
import { clearLeftovers, findPostmaster } from './postmaster.mjs';
import { runProgram } from './run-program.mjs';

/** @typedef {import('./place.mjs').Place} Place */
/** @typedef {import('./postmaster.mjs').Postmaster} Postmaster */

const SETTINGS_FILE = 'tenantry.conf';
/** Another process may take the port between our finding it free and the server's taking it. */
const START_ATTEMPTS = 5;
const MAX_LOG_BYTES = 10_000_000;
const LOG_TAIL_LINES = 15;

/** @type {Record<string, string>} */
const DEFAULT_SETTINGS = {
  listen_addresses: '127.0.0.1',
  // A socket's path may not be longer than about 100 characters; a clone's may.
  unix_socket_directories: '',
  shared_preload_libraries: 'pg_stat_statements',
  max_connections: '100',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/**
 * Starts the server on a port that is free, after making the cluster if there is none.
 * @param {Place} place
 * @param {Record<string, string>} settings of postgresql.conf, over the defaults
 * @param {(line: string) => void} log
 * @param {number} [port] the only one that will do: its users know it by that
 * @returns {Promise<Postmaster>}
 */
export async function startCluster(place, settings, log, port) {
  const native = reachableBinaries(locateBinaries(), place);
  if (!existsSync(place.data)) await makeCluster(native, place, settings, log);
  refuseOtherVersion(native, place);
  await clearLeftovers(place.data);
  makeFolderFor(place, place.log);
  const logFile = rotateLog(place);
  const lastPort = lastPortOf(place);
  for (let attempt = 1; ; attempt++) {
    // Where it was: who uses a server that died knows it by that address.
    const wanted = port ?? (attempt === 1 ? lastPort : undefined);
    const failure = await tryStart(native, place, logFile, settings, wanted);
    const postmaster = failure === undefined ? await findPostmaster(place.data) : undefined;
    if (postmaster) return postmaster;
    if (attempt === START_ATTEMPTS || !/could not bind|Address already in use/.test(failure ?? '')) {
      throw new EmbeddedPostgresError(`The embedded PostgreSQL does not start. Its log, ${logFile}, ends:\n${failure}`);
    }
  }
}

/**
 * Under another name first, so that one whose making was broken off is never taken for whole.
 * @param {string} native
 * @param {Place} place
 * @param {Record<string, string>} settings
 * @param {(line: string) => void} log
 */
async function makeCluster(native, place, settings, log) {
  log(`making a database in ${place.home}`);
  const unfinished = `${place.data}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  makeFolderFor(place, unfinished);
  writeFileFor(place, place.passwordFile, randomBytes(18).toString('hex'), 0o600);
  const { code, output } = await runProgram(programIn(native, 'initdb'), initdbArguments(place, unfinished, settings), {
    user: place.user,
    cwd: unfinished,
  });
  if (code !== 0) {
    throw new EmbeddedPostgresError(`The embedded PostgreSQL cannot make its database in ${place.home}:\n${output}`);
  }
  appendFileSync(path.join(unfinished, 'postgresql.conf'), `\ninclude_if_exists = '${SETTINGS_FILE}'\n`);
  renameSync(unfinished, place.data);
}

/**
 * @param {Place} place
 * @param {string} data
 * @param {Record<string, string>} settings
 */
function initdbArguments(place, data, settings) {
  const flags = [`--pgdata=${data}`, '--username=postgres', `--pwfile=${place.passwordFile}`, '--auth=scram-sha-256'];
  // PostgreSQL's own C.UTF-8: the same order and case rules on every system, whatever locales it
  // has.
  flags.push('--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8');
  flags.push('--no-instructions');
  return settings.fsync === 'off' ? [...flags, '--no-sync'] : flags;
}

/**
 * @param {string} native
 * @param {Place} place
 */
function refuseOtherVersion(native, place) {
  const made = readFileSync(path.join(place.data, 'PG_VERSION'), 'utf8').trim();
  const catalog = readFileSync(path.join(native, 'share', 'postgresql', 'postgres.bki'), 'utf8').slice(0, 80);
  const installed = /^# PostgreSQL (\d+)/.exec(catalog)?.[1];
  if (made === installed) return;
  throw new EmbeddedPostgresError(
    `The database in ${place.home} was made by PostgreSQL ${made}, but ${installed} is installed now. ` +
      `Remove that folder to begin anew, or move it away and install the package of version ${made} to get at its data.`,
  );
}

/**
 * @param {Place} place
 * @returns {string} the log file
 */
function rotateLog(place) {
  const file = path.join(place.log, 'postgres.log');
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MAX_LOG_BYTES) renameSync(file, `${file}.1`);
  return file;
}

/**
 * @param {string} native
 * @param {Place} place
 * @param {string} logFile
 * @param {Record<string, string>} settings
 * @param {number} [port]
 * @returns {Promise<string | undefined>} what was said on failure, undefined on success
 */
async function tryStart(native, place, logFile, settings, port) {
  const all = { ...DEFAULT_SETTINGS, ...settings, port: String(port ?? (await findFreePort())) };
  const lines = Object.entries(all).map(([name, value]) => `${name} = '${value.replace(/['\\]/g, '$&$&')}'`);
  writeFileFor(place, path.join(place.data, SETTINGS_FILE), `${lines.join('\n')}\n`, 0o600);
  // pg_ctl gives the server a session of its own, so that a terminal's Ctrl-C does not reach it
  // before we stop it.
  const flags = ['start', '--wait', '--timeout=120', '--silent', `--pgdata=${place.data}`, `--log=${logFile}`];
  const { code, output } = await runProgram(programIn(native, 'pg_ctl'), flags, { user: place.user, cwd: place.data });
  return code === 0 ? undefined : `${output.trim()}\n${lastLines(logFile)}`;
}

/** @param {Place} place */
function lastPortOf({ data }) {
  const file = path.join(data, SETTINGS_FILE);
  const port = existsSync(file) ? /^port = '(\d+)'$/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
  return port === undefined ? undefined : Number(port);
}

/** @returns {Promise<number>} */
function findFreePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/** @param {string} file */
function lastLines(file) {
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').slice(-LOG_TAIL_LINES).join('\n') : '';
}

/**
 * @param {Place} place
 * @param {string} folder
 */
function makeFolderFor({ user }, folder) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (user) chownSync(folder, user.uid, user.gid);
}

/**
 * @param {Place} place
 * @param {string} file
 * @param {string} text
 * @param {number} mode
 */
function writeFileFor({ user }, file, text, mode) {
  writeFileSync(file, text, { mode });
  chmodSync(file, mode);
  if (user) chownSync(file, user.uid, user.gid);
}
