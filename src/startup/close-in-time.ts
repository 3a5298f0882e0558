import type { RunningService } from './serve.ts';

/**
 * Closes the service, or ends the process when that takes longer than an orchestrator waits before
 * it kills.
 * @returns the exit code
 */
export async function closeInTime(
  service: Pick<RunningService, 'close'>,
  timeoutMs: number,
  say: (line: string) => void,
): Promise<number> {
  const timeout = setTimeout(() => {
    say(`not done within ${timeoutMs / 1000} s (SHUTDOWN_TIMEOUT_MS): what is under way is broken off`);
    process.exit(1);
  }, timeoutMs);
  await service.close();
  clearTimeout(timeout);
  return 0;
}
