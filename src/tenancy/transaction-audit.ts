import pg from 'pg';
import { Prisma } from '../generated/prisma/client.ts';
import { lineAlone, lineOf } from './audit.sql.ts';
import type { AuditDraft } from './audit-line.ts';
import type { StatementEnd } from './tenant-transaction.ts';

const { sql } = Prisma;

/** After these the server says no more, and nobody knows how a COMMIT under way ended. */
const LAST_WORDS: ReadonlySet<string | undefined> = new Set(['FATAL', 'PANIC']);

/** How one transaction comes to its audit line, at no round trip of its own. */
export class TransactionAudit {
  #isWithin = false;
  #changed: string | null = null;
  #hasEnded = false;

  /** @param draft absent: there is no line to write */
  constructor(private readonly draft: AuditDraft | undefined) {}

  /** A WITH clause of the statement to be sent next. */
  within(done: Prisma.Sql): Prisma.Sql {
    this.#isWithin = true;
    return this.draft ? sql`audited AS (${lineOf(this.draft, done)})` : sql`audited AS (SELECT)`;
  }

  /** @param id of what was changed; of several the last */
  changed(id: string): void {
    this.#changed = id;
  }

  /** Sends a statement, and notes what became of the line. */
  async watch<Row>(send: () => Promise<Row[]>, end: StatementEnd): Promise<Row[]> {
    if (end === 'open') return send();
    const isWithin = this.#isWithin;
    this.#isWithin = false;
    this.#note('sent');
    try {
      const rows = await send();
      const isDone = rows.length > 0;
      this.#hasEnded = end === 'committed' || isDone;
      this.#note(isWithin && isDone ? 'written' : 'open');
      return rows;
    } catch (error) {
      if (isRolledBack(error)) this.#note('open');
      throw error;
    }
  }

  /** The line as the last statement, for a transaction that nothing has ended yet. */
  last(): Prisma.Sql | undefined {
    if (!this.draft || this.#hasEnded) return undefined;
    this.#isWithin = true;
    return sql`${lineAlone(this.draft, this.#changed)} RETURNING 1`;
  }

  #note(state: AuditDraft['state']): void {
    if (this.draft) this.draft.state = state;
  }
}

function isRolledBack(error: unknown): boolean {
  return error instanceof pg.DatabaseError && !LAST_WORDS.has(error.severity);
}
