const WATCH_MS = 250;

/**
 * Tells this process to end when npm, which runs it, has ended. npm hands a SIGTERM on to its shell
 * alone, and the shell ends without handing it on: what it had started would run on, and hold its
 * port.
 */
export function endWithNpm() {
  if (process.env.npm_lifecycle_event === undefined) return;
  const { ppid } = process;
  const watch = setInterval(() => {
    if (process.ppid === ppid) return;
    clearInterval(watch);
    process.kill(process.pid, 'SIGTERM');
  }, WATCH_MS).unref();
}
