import type { RunningService } from './serve.ts';

/** How long a process that breaks off what is under way still writes what waits to be recorded. */
export const SAVE_MS = 2_000;

/**
 * Closes the service, or ends the process when that takes longer than an orchestrator waits before
 * it kills.
 * @returns the exit code
 */
export async function closeInTime(
  service: Pick<RunningService, 'close' | 'save'>,
  timeoutMs: number,
  say: (line: string) => void,
): Promise<number> {
  let saved: Promise<unknown> | undefined;
  const breakOff = () => {
    say(`not done within ${timeoutMs / 1000} s (SHUTDOWN_TIMEOUT_MS): what is under way is broken off`);
    saved = service.save(SAVE_MS);
    void saved.finally(() => process.exit(1));
  };
  const timeout = setTimeout(breakOff, timeoutMs);
  try {
    await service.close();
  } finally {
    clearTimeout(timeout);
  }
  if (!saved) return 0;
  // It was done too late.
  await saved;
  return 1;
}
