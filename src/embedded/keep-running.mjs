// For a service, which uses the server for long: it may be killed, as by the kernel when memory
// ends.
import { setTimeout as delay } from 'node:timers/promises';

import { findPostmaster } from './postmaster.mjs';
import { withProcessLock } from './process-lock.mjs';

const WATCH_MS = 500;
const MAX_PAUSE_MS = 30_000;
/** Who runs longer did not die of what it died of before. */
const SETTLED_MS = 60_000;

/**
 * @typedef {object} Keeping
 * @property {import('./place.mjs').Place} place
 * @property {() => Promise<unknown>} start starts the server where its users know it; called under
 *   the place's lock
 * @property {(line: string) => void} log
 */

/**
 * Starts the server again whenever it has died, after a pause that grows while it dies again and
 * again.
 * @param {Keeping} keeping
 * @returns {() => Promise<void>} ends the watch
 */
export function keepRunning({ place, start, log }) {
  const over = new AbortController();
  const pause = (/** @type {number} */ ms) => delay(ms, undefined, { signal: over.signal, ref: false });
  const watch = async () => {
    let pauseMs = WATCH_MS;
    let startedMs = Date.now();
    for (;;) {
      await pause(WATCH_MS);
      if (await findPostmaster(place.data)) continue;
      if (Date.now() - startedMs > SETTLED_MS) pauseMs = WATCH_MS;
      log(`the embedded PostgreSQL has died; starting it again in ${pauseMs / 1000} s`);
      await pause(pauseMs);
      pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
      startedMs = Date.now();
      try {
        await withProcessLock(place.lock, async () => {
          if (over.signal.aborted || (await findPostmaster(place.data))) return;
          await start();
          log('the embedded PostgreSQL runs again');
        });
      } catch (error) {
        log(`the embedded PostgreSQL could not be started: ${/** @type {Error} */ (error).message}`);
      }
    }
  };
  const watching = watch().catch((error) => {
    if (!over.signal.aborted) log(`the embedded PostgreSQL is no longer watched: ${error.message}`);
  });
  return async () => {
    over.abort();
    await watching;
  };
}
