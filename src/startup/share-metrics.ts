import type { Logger } from 'pino';
import type { Metrics, ShownMetrics } from '../app/metrics.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** A worker's way to the process that started it: of `process`, what it needs. */
export interface Channel {
  on(event: 'message', hear: (message: ToWorker) => void): unknown;
  send?(message: FromWorker, handle: undefined, options: undefined, sent: (error: Error | null) => void): unknown;
}

/**
 * Answers for the worker's own figures, and asks for those of all workers. A figure that cannot be
 * read is told to the log: whoever asked shows those told last.
 */
export function shareMetrics(
  { registry, tenants }: Pick<Metrics, 'registry' | 'tenants'>,
  channel: Channel,
  logger: Pick<Logger, 'error'>,
): () => Promise<ShownMetrics> {
  const asked = new Map<number, (shown: ShownMetrics) => void>();
  let asks = 0;
  const tellFigures = async (ask: number) => {
    const figures = await registry.getMetricsAsJSON();
    await tell(channel, { kind: 'figures', ask, figures, tenants: tenants() });
  };
  channel.on('message', (message) => {
    if (message.kind === 'figures')
      tellFigures(message.ask).catch((error: unknown) => {
        logger.error({ err: error }, 'the figures of this worker could not be told');
      });
    if (message.kind !== 'metrics') return;
    asked.get(message.ask)?.(message.shown);
    asked.delete(message.ask);
  });
  return () =>
    new Promise((resolve, reject) => {
      const ask = ++asks;
      asked.set(ask, resolve);
      tell(channel, { kind: 'metrics', ask }).catch(reject);
    });
}

/** Tells what /metrics shows, for the process that has the port of it. */
export function tellPages(
  channel: Channel,
  service: { metrics(): Promise<string> },
  logger: Pick<Logger, 'error'>,
): void {
  const tellPage = async (ask: number) => tell(channel, { kind: 'page', ask, text: await service.metrics() });
  channel.on('message', (message) => {
    if (message.kind !== 'page') return;
    tellPage(message.ask).catch((error: unknown) => logger.error({ err: error }, 'the metrics could not be told'));
  });
}

/** Resolves when it is sent. */
export function tell(channel: Channel, message: FromWorker): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.send?.(message, undefined, undefined, (error) => (error ? reject(error) : resolve()));
  });
}
