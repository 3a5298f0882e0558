// A process may end without releasing what it holds: by process.exit, an uncaught error, or a
// Ctrl-C that nothing in it handles. Nothing can be awaited then, so a small process of its own
// stops the server if that was its last user.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Holding
 * @property {string} home
 * @property {() => void} unregister
 */

/** @type {NodeJS.Signals[]} */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** @type {Set<Holding>} */
const holdings = new Set();

/**
 * @param {Holding} holding
 * @returns {() => boolean} ends the watch; false when it had ended before
 */
export function holdUntilExit(holding) {
  if (holdings.size === 0) watch();
  holdings.add(holding);
  return () => {
    const held = holdings.delete(holding);
    if (held && holdings.size === 0) unwatch();
    return held;
  };
}

function watch() {
  process.on('exit', leaveAll);
  for (const signal of SIGNALS) process.on(signal, dieOf);
}

function unwatch() {
  process.off('exit', leaveAll);
  for (const signal of SIGNALS) process.off(signal, dieOf);
}

/**
 * Who else listens decides what the signal means; alone, the process dies of it as if nobody had
 * listened.
 * @param {NodeJS.Signals} signal
 */
function dieOf(signal) {
  if (process.listenerCount(signal) > 1) return;
  leaveAll();
  unwatch();
  process.kill(process.pid, signal);
}

function leaveAll() {
  for (const { home, unregister } of holdings) {
    unregister();
    // Without what this process may have been told to load first.
    const env = { ...process.env, NODE_OPTIONS: '' };
    const script = fileURLToPath(new URL('./stop-when-unused.mjs', import.meta.url));
    spawn(process.execPath, [script, home], { detached: true, stdio: 'ignore', env }).unref();
  }
  holdings.clear();
}
