import { listMigrations, startMain } from './main-process.ts';

/** A service in a process of its own, for tests to kill. */
export interface ServiceProcess {
  readonly url: string;
  isKilled(): boolean;
  /**
   * Lets it stand still, as on a machine that is overloaded or being moved; its connections stay
   * open.
   */
  pause(): void;
  resume(): void;
  /** At once, as by the kernel when memory ends: nothing is told to anybody. */
  kill(): Promise<void>;
}

/** @param env settings over the defaults, as environment variables */
export async function startServiceProcess(
  databaseUrl: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ServiceProcess> {
  await listMigrations(databaseUrl);
  // Tests share a machine.
  const service = await startMain({ DATABASE_URL: databaseUrl, DATABASE_QUEUE_TIMEOUT_MS: '10000', ...env });
  await service.untilReady();
  let isKilled = false;
  return {
    url: service.url,
    isKilled: () => isKilled,
    pause: () => service.signal('SIGSTOP'),
    resume: () => service.signal('SIGCONT'),
    async kill() {
      isKilled = true;
      service.signal('SIGKILL');
      await service.ended;
    },
  };
}
