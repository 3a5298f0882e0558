import type { Logger } from 'pino';
import { describeError } from '../cli/run-command.ts';
import type { Config } from '../config/config.ts';
import { closeInTime } from './close-in-time.ts';
import { serve } from './serve.ts';
import { shareMetrics, tell } from './share-metrics.ts';
import type { StopSignals } from './stop-signals.ts';
import type { ToWorker } from './worker-messages.ts';

/**
 * Serves in a process that `runWorkers` started, until it is told to stop. @returns the exit code
 */
export async function runWorker(config: Config, logger: Logger, signals: StopSignals): Promise<number> {
  const say = (line: string) => logger.warn(line);
  const told = new Promise<void>((resolve) => {
    process.on('message', (message: ToWorker) => message.kind === 'stop' && resolve());
  });
  try {
    await tell(process, { kind: 'starting' });
    // What there is to say of the start, the process that started this one has said.
    const starting = serve(config, logger, () => {}, {
      isWorker: true,
      shareMetrics: (metrics) => shareMetrics(metrics, process, logger),
    });
    const service = await Promise.race([starting, told]);
    if (!service) {
      starting.catch((error) => logger.warn({ err: error }, 'told to stop at a start that fails'));
      return 0; // it has served nobody
    }
    await tell(process, { kind: 'ready', banner: service.banner });
    await Promise.race([told, signals.next()]);
    return await closeInTime(service, config.lifecycle.shutdownTimeoutMs, say);
  } catch (error) {
    await tell(process, { kind: 'failed', said: describeError(error) });
    return 1;
  }
}
