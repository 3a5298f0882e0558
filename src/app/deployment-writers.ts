import type { Logger } from 'pino';
import type { Services } from '../context/services.ts';
import { MinuteCounts } from '../deployment/minute-counts.ts';
import { MinuteWriter } from '../deployment/minute-writer.ts';
import { ProcessWriter } from '../deployment/process-writer.ts';
import { OutageLog } from './outage-log.ts';

/** What a process writes for the figures of all processes together. */
export interface DeploymentWriters {
  /** Writes what was counted last, if it can. Never rejects. */
  stop(): Promise<void>;
}

/** Each has an outage of its own: that one works says nothing of the other. */
export function startDeploymentWriters(
  { database, deployment, monitor }: Pick<Services, 'database' | 'deployment' | 'monitor'>,
  logger: Logger,
): DeploymentWriters {
  const processOutage = new OutageLog(logger, {
    began:
      'the figures of this process cannot be written, so that those of the deployment are without; it is tried again',
    over: 'the figures of this process are written again',
  });
  const minuteOutage = new OutageLog(logger, {
    began: 'the figures of the last minutes cannot be written; it is tried again',
    over: 'the figures of the last minutes are written again',
  });
  const { own } = deployment;
  const counts = new MinuteCounts({
    monitor,
    isTrusted: () => own.state().cacheTrusted,
  });
  const process = new ProcessWriter(database, own, monitor, processOutage.failed, processOutage.recovered);
  const minute = new MinuteWriter(database, counts, minuteOutage.failed, minuteOutage.recovered);
  // Nobody waits for these figures: what cannot be written at the end is lost.
  const lost = (what: string) => (error: Error) => logger.warn({ reason: error.message }, what);
  return {
    // Neither waits for the other, which may not be able to write.
    async stop() {
      await Promise.all([
        minute.stop().catch(lost('the figures of the last minutes are lost')),
        process.stop().catch(lost('the row of this process in service_processes is not removed')),
      ]);
    },
  };
}
