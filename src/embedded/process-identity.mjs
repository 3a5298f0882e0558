// Which process a file was left by. A pid alone does not say: it is given out again, soon after a
// reboot or in a new container. The pid with the process's start time does.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * The start time's stand-in where the system does not tell it (Windows): the pid alone has to do.
 */
const UNKNOWN_START = 'unknown';

/**
 * Names a live process in a form that suits a file name, as `4711-0123456789ab`.
 * @param {number} [pid] this process when left out
 * @returns {string}
 */
export function identityOf(pid = process.pid) {
  return `${pid}-${startMarkOf(pid) ?? UNKNOWN_START}`;
}

/**
 * Whether the process that `identityOf` named still runs. One that has ended but whose parent has
 * not taken note of it (a zombie) does not.
 * @param {string} identity
 * @returns {boolean}
 */
export function isIdentityAlive(identity) {
  const [pid = '', mark] = identity.split('-');
  if (!isProcessAlive(Number(pid))) return false;
  const current = startMarkOf(Number(pid));
  return current === undefined || mark === UNKNOWN_START || current === mark;
}

/**
 * @param {number} pid
 * @returns {boolean}
 */
export function isProcessAlive(pid) {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and belongs to somebody else.
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EPERM') return false;
  }
  const state = statOf(pid)?.state;
  return state !== 'Z' && state !== 'X';
}

/**
 * The command line of a process, its arguments joined by spaces.
 * @param {number} pid
 * @returns {string | undefined} undefined when there is no such process, or the system does not
 *   tell
 */
export function commandLineOf(pid) {
  if (process.platform === 'linux') return readProc(pid, 'cmdline')?.replaceAll('\0', ' ').trim();
  return psColumn(pid, 'command');
}

/** @param {number} pid */
function startMarkOf(pid) {
  const started = process.platform === 'linux' ? linuxStart(pid) : psColumn(pid, 'lstart');
  return started === undefined ? undefined : createHash('sha256').update(started).digest('hex').slice(0, 12);
}

/** @param {number} pid */
function linuxStart(pid) {
  const stat = statOf(pid);
  if (!stat) return undefined;
  // Ticks count from the boot, so they repeat after the next one.
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${stat.startTicks}`;
}

/**
 * State and start time from /proc, whose fields are counted after the last bracket: the command's
 * name before it may hold blanks and brackets of its own.
 * @param {number} pid
 */
function statOf(pid) {
  const text = process.platform === 'linux' ? readProc(pid, 'stat') : undefined;
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields && { state: fields[0], startTicks: fields[19] };
}

/**
 * @param {number} pid
 * @param {string} file
 */
function readProc(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    const code = /** @type {NodeJS.ErrnoException} */ (error).code ?? '';
    // ESRCH: it ended between the opening and the reading.
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(code)) return undefined;
    throw error;
  }
}

/**
 * @param {number} pid
 * @param {string} column
 */
function psColumn(pid, column) {
  if (process.platform === 'win32') return undefined;
  try {
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
    return execFileSync('ps', ['-o', `${column}=`, '-p', String(pid)], {
      encoding: 'utf8',
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch (error) {
    // ps ends with 1 when there is no such process.
    if (/** @type {{ status?: number }} */ (error).status === 1) return undefined;
    throw error;
  }
}
