import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { AuditLog } from '../audit/audit-log.ts';
import type { RetentionConfig } from '../config/config.ts';
import type { UsageCounts } from '../monitoring/usage-counts.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import { UsageWriter } from '../usage/usage-writer.ts';
import { OutageLog } from './outage-log.ts';
import { RetentionCleaner } from './retention.ts';

/** What is written and removed off the way of the requests. */
export interface BackgroundWriters {
  readonly audit: AuditLog;
  /**
   * Writes what waits, if it can, and tells the log what is lost.
   * @param timeoutMs what is not written by then is lost. Absent: as long as it takes
   */
  save(timeoutMs?: number): Promise<void>;
  /** Ends all of it. What waits is saved. */
  stop(): Promise<void>;
}

/** Each has an outage of its own: that one works says nothing of the others. */
export function startBackgroundWriters(
  database: TenantDatabase,
  counts: UsageCounts,
  retention: RetentionConfig,
  logger: Logger,
): BackgroundWriters {
  const auditOutage = new OutageLog(logger, {
    began: 'the audit lines of what was refused or failed cannot be written; it is tried again',
    over: 'the audit lines of what was refused or failed are written again',
  });
  const usageOutage = new OutageLog(logger, {
    began: 'what tenants cost cannot be written; it is tried again',
    over: 'what tenants cost is written again',
  });
  const cleaningOutage = new OutageLog(logger, {
    began: 'audit lines, idempotency keys and usage that are past their time cannot be removed; it is tried again',
    over: 'audit lines, idempotency keys and usage that are past their time are removed again',
  });
  const audit = new AuditLog({ database, onError: auditOutage.failed, onWorks: auditOutage.recovered });
  const usage = new UsageWriter(database, counts, usageOutage.failed, usageOutage.recovered);
  const cleaner = new RetentionCleaner(database, retention, cleaningOutage.failed, cleaningOutage.recovered);
  // Neither waits for the other, which may not be able to write.
  const save = async (timeoutMs?: number) => {
    await Promise.all([
      within(timeoutMs, audit.stop()).catch(({ message: reason }: Error) => {
        logger.error({ reason, lines: audit.lost }, 'audit lines of what was refused or failed are lost');
      }),
      within(timeoutMs, usage.stop()).catch(({ message: reason }: Error) => {
        logger.error({ reason, tenants: usage.waiting }, 'what tenants cost in the last seconds is lost');
      }),
    ]);
  };
  return {
    audit,
    save,
    async stop() {
      await Promise.all([save(), cleaner.stop()]);
    },
  };
}

/** @throws when it takes longer */
async function within(timeoutMs: number | undefined, work: Promise<void>): Promise<void> {
  if (timeoutMs === undefined) return work;
  const done = new AbortController();
  const tooLong = delay(timeoutMs, undefined, { signal: done.signal }).then(() => {
    throw new Error(`not done within ${timeoutMs} ms`);
  });
  await Promise.race([work, tooLong]).finally(() => done.abort());
}
