import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { Counter, Gauge, Registry } from 'prom-client';
import type { ShownMetrics } from '../app/metrics.ts';
import type { Config } from '../config/config.ts';
import { SAVE_MS } from './close-in-time.ts';
import { LastKnown } from './last-known.ts';
import { metricsServer } from './metrics-server.ts';
import { openDatabase } from './open-database.ts';
import { tellConnections } from './pooler.ts';
import { RestartPolicy } from './restart-policy.ts';
import { fillWhenNew } from './serve.ts';
import type { StopSignals } from './stop-signals.ts';
import { WorkerFigures } from './worker-figures.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** A worker that does not tell its figures within this time is shown with those it told last. */
const FIGURES_TIMEOUT_MS = 2_000;
/** What a worker that could not end by itself in time has left. */
const KILL_AFTER_MS = SAVE_MS + 1_000;

/**
 * Serves by several processes that share the port, and replaces those that die, until a signal
 * comes. Their figures are shown together.
 * @returns the exit code
 */
export async function runWorkers(
  config: Config,
  logger: Logger,
  say: (line: string) => void,
  signals: StopSignals,
): Promise<number> {
  // Once, and before there is a worker: it is waited for, migrated, filled and judged here.
  const opened = await openDatabase(config, say);
  try {
    const { database, lifecycle } = config;
    const { poolSize } = database;
    await tellConnections(opened.directUrl, { poolSize, workers: lifecycle.workers }, logger);
    if (opened.embedded) await fillWhenNew(opened.url, say);
    return await new Workers(config, logger, say).run(signals);
  } finally {
    await opened.release();
  }
}

class Workers {
  readonly #policy = new RestartPolicy();
  readonly #figures = new WorkerFigures();
  readonly #own = new Registry();
  /** Since when each serves. */
  readonly #servingSinceMs = new Map<Worker, number>();
  readonly #asked = new Map<number, (told?: string) => void>();
  readonly #restarts: Counter;
  #asks = 0;
  readonly #shown = new LastKnown<ShownMetrics>(
    { text: '', tenants: [] },
    () => this.#gather(),
    (error) => this.logger.error({ err: error }, 'the figures of the workers could not be put together'),
  );
  #making: Promise<string> | undefined;
  #isStopping = false;
  #hasServed = false;
  #giveUp = () => {};
  readonly #gaveUp = new Promise<undefined>((resolve) => {
    this.#giveUp = () => resolve(undefined);
  });

  constructor(
    private readonly config: Config,
    private readonly logger: Logger,
    private readonly say: (line: string) => void,
  ) {
    const registers = [this.#own];
    const serving = () => this.#servingSinceMs.size;
    new Gauge({
      name: 'tenantry_workers',
      help: 'Workers that serve.',
      registers,
      collect() {
        this.set(serving());
      },
    });
    this.#restarts = new Counter({
      name: 'tenantry_worker_restarts_total',
      help: 'Workers that ended and were replaced.',
      registers,
    });
  }

  async run(signals: StopSignals): Promise<number> {
    // However this process ends, they do not outlive it; if it is killed, the broken channel ends
    // them.
    process.on('exit', () => this.#killAll());
    cluster.on('message', (worker, message: FromWorker) => this.#hear(worker, message));
    cluster.on('exit', (worker, code, signal) => {
      this.#ended(worker, signal ?? code).catch((error: unknown) => {
        this.logger.fatal(error, 'a worker that ended could not be replaced; giving up');
        this.#giveUp();
      });
    });
    const page = { contentType: this.#own.contentType, text: () => this.#pageOnce() };
    const ofMetrics = metricsServer(this.config, page);
    await ofMetrics?.listen();
    for (let n = 0; n < this.config.lifecycle.workers; n++) cluster.fork();
    const signal = await Promise.race([signals.next(), this.#gaveUp]);
    if (signal) this.say(`\n${signal}: stopping ${this.#workers.length} workers`);
    const isClean = await this.#stop();
    await ofMetrics?.close();
    return signal && isClean ? 0 : 1;
  }

  get #workers(): Worker[] {
    return Object.values(cluster.workers ?? {}).filter(
      (worker): worker is Worker => worker !== undefined && !worker.isDead(),
    );
  }

  #hear(worker: Worker, message: FromWorker): void {
    // It may have been told before it could hear: what comes meanwhile is lost.
    if (message.kind === 'starting' && this.#isStopping) tell(worker, { kind: 'stop' });
    if (message.kind === 'ready') this.#serves(worker, message.banner);
    if (message.kind === 'failed') this.#failed(message.said);
    if (message.kind === 'figures') {
      this.#figures.keep(worker.id, message);
      this.#asked.get(message.ask)?.();
    }
    if (message.kind === 'page') this.#asked.get(message.ask)?.(message.text);
    if (message.kind === 'metrics')
      void this.#shown.get().then((shown) => tell(worker, { kind: 'metrics', ask: message.ask, shown }));
  }

  #serves(worker: Worker, banner: string): void {
    this.#servingSinceMs.set(worker, performance.now());
    this.#figures.serves(worker.id);
    this.#policy.started();
    if (!this.#hasServed) this.say(banner);
    this.#hasServed = true;
  }

  /** What is wrong from the first start on, no second one puts right. */
  #failed(said: string): void {
    this.logger.error({ reason: said }, 'a worker could not start');
    if (this.#hasServed || this.#isStopping) return;
    this.#isStopping = true;
    this.say(said);
    this.#giveUp();
  }

  async #ended(worker: Worker, how: string | number): Promise<void> {
    const sinceMs = this.#servingSinceMs.get(worker);
    this.#servingSinceMs.delete(worker);
    this.#figures.ended(worker.id);
    if (this.#isStopping) return;
    const delayMs = this.#policy.ended(sinceMs === undefined ? undefined : performance.now() - sinceMs);
    if (delayMs === undefined) {
      this.logger.fatal({ worker: worker.id, how }, 'workers end at their start again and again; giving up');
      this.#giveUp();
      return;
    }
    this.logger.error({ worker: worker.id, how, delayMs }, 'a worker ended; another one is started');
    await delay(delayMs);
    if (this.#isStopping) return;
    this.#restarts.inc();
    cluster.fork();
  }

  /** @returns whether each ended by itself, with nothing lost */
  async #stop(): Promise<boolean> {
    this.#isStopping = true;
    const ends = this.#workers.map(async (worker) => {
      const ended = once(worker, 'exit');
      tell(worker, { kind: 'stop' });
      const [code] = await ended;
      return code === 0;
    });
    const killing = setTimeout(() => this.#killAll(), this.config.lifecycle.shutdownTimeoutMs + KILL_AFTER_MS);
    const ended = await Promise.all(ends);
    clearTimeout(killing);
    return ended.every(Boolean);
  }

  #killAll(): void {
    for (const worker of this.#workers) worker.process.kill('SIGKILL');
  }

  /** However many ask at once, each worker is asked once. */
  async #gather(): Promise<ShownMetrics> {
    await Promise.all([...this.#servingSinceMs.keys()].map((worker) => this.#ask(worker, 'figures')));
    return this.#figures.shown(await this.#own.getMetricsAsJSON());
  }

  /** However many ask meanwhile, one page is made. */
  #pageOnce(): Promise<string> {
    this.#making ??= this.#page().finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  /** By a worker that serves, and without the tenants while none does. */
  async #page(): Promise<string> {
    const [worker] = this.#servingSinceMs.keys();
    return (worker && (await this.#ask(worker, 'page'))) ?? (await this.#shown.get()).text;
  }

  /** Resolves when it told, with its page if that was asked for, or has ended, or takes too long. */
  async #ask(worker: Worker, kind: 'figures' | 'page'): Promise<string | undefined> {
    const ask = ++this.#asks;
    const over = new AbortController();
    const came = new Promise<string | undefined>((resolve) => {
      const ended = () => resolve(undefined);
      this.#asked.set(ask, resolve);
      worker.once('exit', ended);
      over.signal.addEventListener('abort', () => worker.off('exit', ended));
    });
    tell(worker, { kind, ask });
    // A page is made of the figures of all.
    const timeoutMs = kind === 'page' ? 2 * FIGURES_TIMEOUT_MS : FIGURES_TIMEOUT_MS;
    const tooLate = delay(timeoutMs, undefined, { signal: over.signal }).catch(() => undefined);
    const told = await Promise.race([came, tooLate]);
    over.abort();
    this.#asked.delete(ask);
    return told;
  }
}

/** One that has ended meanwhile needs to hear nothing. */
function tell(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message, () => {});
}
