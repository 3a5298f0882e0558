import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

/** How far back `cpuPercent` and `eventLoopDelayMs` look: between one and two of these. */
const WINDOW_MS = 10_000;
/** The event loop is looked at this often; what its histogram holds includes this interval. */
const DELAY_RESOLUTION_MS = 20;

export interface ResourceSources {
  /** What the in-process tier of the cache holds. */
  readonly cacheMemoryBytes: () => number;
  /** Null without Redis, and when it does not answer. Must not reject. */
  readonly redisMemoryBytes: () => Promise<number | null>;
  /** Open connections of this process. */
  readonly databaseConnections: () => number;
}

/** What this process uses. */
export interface Resources {
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  /** Of one core: 200 means that two cores were busy. */
  readonly cpuPercent: number;
  /** How late the event loop was, at the 99th percentile. */
  readonly eventLoopDelayMs: number;
  readonly cacheMemoryBytes: number;
  readonly redisMemoryBytes: number | null;
  readonly databaseConnections: number;
}

/**
 * Measures this process. CPU and event loop over the last 10 to 20 seconds, whoever asks and
 * however often.
 */
export class ResourceMonitor {
  readonly #loopDelay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  readonly #timer: NodeJS.Timeout;
  #previous: Mark;
  #current: Mark;

  constructor(private readonly sources: ResourceSources) {
    this.#loopDelay.enable();
    this.#current = this.#previous = mark(0);
    this.#timer = setInterval(() => this.#turn(), WINDOW_MS).unref();
  }

  async read(): Promise<Resources> {
    return { ...this.ofProcess(), redisMemoryBytes: await this.sources.redisMemoryBytes() };
  }

  /** Without asking Redis. */
  ofProcess(): Omit<Resources, 'redisMemoryBytes'> {
    const { heapUsed, rss } = process.memoryUsage();
    return {
      rssBytes: rss,
      heapUsedBytes: heapUsed,
      cpuPercent: cpuPercentSince(this.#previous),
      eventLoopDelayMs: Math.max(this.#lateMs(), this.#current.lateMs),
      cacheMemoryBytes: this.sources.cacheMemoryBytes(),
      databaseConnections: this.sources.databaseConnections(),
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#loopDelay.disable();
  }

  #turn(): void {
    this.#previous = this.#current;
    this.#current = mark(this.#lateMs());
    this.#loopDelay.reset();
  }

  #lateMs(): number {
    return Math.max(0, this.#loopDelay.percentile(99) / 1e6 - DELAY_RESOLUTION_MS);
  }
}

/** Where a window begins, and how late the event loop was in the one before. */
interface Mark {
  readonly atMs: number;
  readonly cpu: NodeJS.CpuUsage;
  readonly lateMs: number;
}

function mark(lateMs: number): Mark {
  return { atMs: performance.now(), cpu: process.cpuUsage(), lateMs };
}

function cpuPercentSince({ atMs, cpu }: Mark): number {
  const { user, system } = process.cpuUsage(cpu);
  const elapsedMs = performance.now() - atMs;
  return elapsedMs > 0 ? (user + system) / 10 / elapsedMs : 0;
}
