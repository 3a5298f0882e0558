import type { Logger } from 'pino';
import { describeError } from '../cli/run-command.ts';
import type { Config } from '../config/config.ts';
import { closeInTime } from './close-in-time.ts';
import { type ExamineService, serve } from './serve.ts';
import { type Channel, shareMetrics, tell, tellPages } from './share-metrics.ts';
import type { StopSignals } from './stop-signals.ts';

/**
 * Serves in a process that `runWorkers` started, until it is told to stop.
 * @param channel to the process that started this one
 * @param examine of `ServeOptions`
 * @returns the exit code
 */
export async function runWorker(
  config: Config,
  logger: Logger,
  signals: Pick<StopSignals, 'next'>,
  channel: Channel = process,
  examine?: ExamineService,
): Promise<number> {
  const say = (line: string) => logger.warn(line);
  const told = new Promise<void>((resolve) => {
    channel.on('message', (message) => message.kind === 'stop' && resolve());
  });
  let hasServed = false;
  try {
    await tell(channel, { kind: 'starting' });
    // What there is to say of the start, the process that started this one has said.
    const starting = serve(config, logger, () => {}, {
      isWorker: true,
      examine,
      shareMetrics: (metrics) => shareMetrics(metrics, channel, logger),
    });
    const service = await Promise.race([starting, told]);
    if (!service) {
      starting.catch((error) => logger.warn({ err: error }, 'told to stop at a start that fails'));
      return 0; // it has served nobody
    }
    tellPages(channel, service, logger);
    await tell(channel, { kind: 'ready', banner: service.banner });
    hasServed = true;
    await Promise.race([told, signals.next()]);
    return await closeInTime(service, config.lifecycle.shutdownTimeoutMs, say);
  } catch (error) {
    if (hasServed) logger.error({ err: error }, 'this worker could not close all that it had opened');
    else await tell(channel, { kind: 'failed', said: describeError(error) });
    return 1;
  }
}
