import { performance } from 'node:perf_hooks';
import { Loop } from '../loop.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import { addMinute, type CountedMinute } from './minute.repository.ts';
import type { MinuteCounts } from './minute-counts.ts';

const MINUTE_MS = 60_000;
/** How often is looked whether the cache is trusted, and written what could not be. */
const LOOK_MS = 10_000;
/** Minutes that wait while they cannot be written: some 10 KB each. */
const MAX_WAITING = 60;

interface WaitingMinute {
  readonly counted: CountedMinute;
  /** In the midst of its time, by `performance.now()`: both ends may lie in a neighbour. */
  readonly middleMs: number;
}

/** Adds what this process counted to `service_minutes`, when a minute is over and at the end. */
export class MinuteWriter {
  readonly #loop: Loop;
  #waiting: WaitingMinute[] = [];
  #beganMs = performance.now();
  #endsMs = nextMinute();

  /** @param onWorks called when something was written */
  constructor(
    private readonly database: TenantDatabase,
    private readonly counts: MinuteCounts,
    onError: (error: Error) => void,
    private readonly onWorks = () => {},
  ) {
    const pauseMs = () => Math.max(1, Math.min(LOOK_MS, this.#endsMs - Date.now()));
    this.#loop = new Loop(
      async () => {
        counts.lookAtTrust();
        // The clock may have been set back.
        if (Date.now() >= this.#endsMs || this.#endsMs - Date.now() > MINUTE_MS) this.#take();
        await this.#write();
        return pauseMs();
      },
      (error) => {
        onError(error);
        return LOOK_MS;
      },
    );
  }

  /** Minutes that wait to be written. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** @throws when what was counted last cannot be written */
  async stop(): Promise<void> {
    await this.#loop.stop();
    this.#take();
    await this.#write();
  }

  #take(): void {
    const nowMs = performance.now();
    this.#waiting.push({ counted: this.counts.take(), middleMs: (this.#beganMs + nowMs) / 2 });
    this.#waiting = this.#waiting.slice(-MAX_WAITING);
    this.#beganMs = nowMs;
    this.#endsMs = nextMinute();
  }

  async #write(): Promise<void> {
    for (let [minute] = this.#waiting; minute; [minute] = this.#waiting) {
      const { counted, middleMs } = minute;
      await this.database.withConnection((connection) => addMinute(connection, performance.now() - middleMs, counted));
      // Taken out only when it is written: after a lost connection it may be counted twice.
      this.#waiting.shift();
      this.onWorks();
    }
  }
}

function nextMinute(): number {
  const nowMs = Date.now();
  return nowMs - (nowMs % MINUTE_MS) + MINUTE_MS;
}
