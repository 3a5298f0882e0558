import type { Logger } from 'pino';
import type { Metrics, ShownMetrics } from '../app/metrics.ts';
import { describeError } from '../cli/run-command.ts';
import type { Config } from '../config/config.ts';
import { closeInTime } from './close-in-time.ts';
import { serve } from './serve.ts';
import type { StopSignals } from './stop-signals.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/**
 * Serves in a process that `runWorkers` started, until it is told to stop. @returns the exit code
 */
export async function runWorker(config: Config, logger: Logger, signals: StopSignals): Promise<number> {
  const say = (line: string) => logger.warn(line);
  const told = new Promise<void>((resolve) => {
    process.on('message', (message: ToWorker) => message.kind === 'stop' && resolve());
  });
  try {
    // What there is to say of the start, the process that started this one has said.
    const service = await serve(config, logger, () => {}, { isWorker: true, shareMetrics });
    await tell({ kind: 'ready', banner: service.banner });
    await Promise.race([told, signals.next()]);
    return await closeInTime(service, config.lifecycle.shutdownTimeoutMs, say);
  } catch (error) {
    await tell({ kind: 'failed', said: describeError(error) });
    return 1;
  }
}

/** Answers for its own figures, and asks for those of all workers. */
function shareMetrics({ registry, tenants }: Metrics): () => Promise<ShownMetrics> {
  const asked = new Map<number, (shown: ShownMetrics) => void>();
  let asks = 0;
  process.on('message', async (message: ToWorker) => {
    if (message.kind === 'figures') {
      const figures = await registry.getMetricsAsJSON();
      await tell({ kind: 'figures', ask: message.ask, figures, tenants: tenants() });
    }
    if (message.kind !== 'metrics') return;
    asked.get(message.ask)?.(message.shown);
    asked.delete(message.ask);
  });
  return () =>
    new Promise((resolve, reject) => {
      const ask = ++asks;
      asked.set(ask, resolve);
      tell({ kind: 'metrics', ask }).catch(reject);
    });
}

/** Resolves when it is sent. */
function tell(message: FromWorker): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(message, undefined, undefined, (error) => (error ? reject(error) : resolve()));
  });
}
