/** What was started and must end, whatever comes: in the reverse order of its beginning. */
export class Cleanup {
  readonly #steps: (() => Promise<void> | void)[] = [];
  #hasRun = false;

  /** @throws when all has been ended already; what was just started is ended too */
  add(step: () => Promise<void> | void): void {
    if (this.#hasRun) {
      void step();
      throw new Error('the bench is ending');
    }
    this.#steps.push(step);
  }

  /** Runs every step, also after one of them failed. @throws the first failure */
  async run(): Promise<void> {
    this.#hasRun = true;
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/**
 * Runs `work`, then ends what it started: on success, on failure, and on Ctrl-C or a termination.
 */
export async function withCleanup<Result>(work: (cleanup: Cleanup) => Promise<Result>): Promise<Result> {
  const cleanup = new Cleanup();
  let ending: Promise<void> | undefined;
  const onSignal = (signal: NodeJS.Signals) => {
    process.stderr.write(`\n${signal}: ending what was started\n`);
    ending ??= cleanup.run().finally(() => process.exit(130));
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  // Listening throughout: the embedded PostgreSQL's own watch ends the process when nobody else
  // listens.
  for (const signal of signals) process.on(signal, onSignal);
  try {
    return await work(cleanup);
  } finally {
    // What fails because it was ended must not be told as the run's failure.
    await ending;
    for (const signal of signals) process.off(signal, onSignal);
    await cleanup.run();
  }
}
