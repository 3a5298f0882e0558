import { AsyncLocalStorage } from 'node:async_hooks';
import type pg from 'pg';
import type { ReadThrough } from './cached-reads.ts';
import type { PreparedStatement } from './tenant-query.ts';

/** For whom, and on behalf of what, the statements of the running asynchronous context are sent. */
export interface StatementContext {
  readonly tenantId: string;
  /** Prisma model or feature, for the timings. */
  readonly model?: string;
  /** Prisma action or the statement's purpose, for the timings. */
  readonly action: string;
  /** The scope's request. */
  readonly request?: object | undefined;
  /** What reads with the option `cache` go through; absent in transactions and snapshots. */
  readonly readThrough?: ReadThrough | undefined;
  /**
   * Of the transaction or snapshot that Prisma joins; absent: each statement has a connection of
   * its own.
   */
  readonly joined?: JoinedQuery | undefined;
}

/** Sends a statement as one of a transaction or snapshot that is under way. */
export type JoinedQuery = (context: StatementContext, statement: PreparedStatement) => Promise<pg.QueryResult>;

/**
 * Who the statements of this asynchronous context are for; set by `inStatementContext` and by
 * nothing else.
 */
export const statementContext = new AsyncLocalStorage<StatementContext>();
let contextsInUse = 0;

/** @throws when a transaction is to begin within another one, or within a snapshot */
export function refuseNested({ joined }: StatementContext): void {
  if (joined)
    throw new Error(
      'transactions do not nest: Prisma has joined the transaction or snapshot under way. Send its operations one ' +
        'after another; one that is a transaction by itself, such as a nested write, as several.',
    );
}

/**
 * Runs `work`, and whatever Prisma does for it, for a tenant. The storage is off while nothing
 * needs it: on Node 20 and 22, once it was used, every promise of the process costs more.
 */
export async function inStatementContext<Result>(
  context: StatementContext,
  work: () => Promise<Result>,
): Promise<Result> {
  contextsInUse++;
  try {
    return await statementContext.run(context, work);
  } finally {
    if (--contextsInUse === 0) statementContext.disable();
  }
}
