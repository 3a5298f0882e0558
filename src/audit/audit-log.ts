import { randomUUID } from 'node:crypto';
import { isUnreachable, TOO_MANY_CONNECTIONS } from '../database/unreachable.ts';
import { writeAccepted } from '../database/write-accepted.ts';
import { ErrorCode, OperatorError } from '../errors.ts';
import { type Loop, repeat } from '../loop.ts';
import { linesOf } from '../tenancy/audit.sql.ts';
import { type AuditDraft, type AuditLine, AuditOutcome, type AuditSubject, storable } from '../tenancy/audit-line.ts';
import { TurnRefused } from '../tenancy/fair-queue.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import { NO_TENANT, TenantScope } from '../tenancy/tenant-scope.ts';
import { TenantBacklog } from './tenant-backlog.ts';

/** Lines that wait at most, over all tenants; some 10 MB. */
const MAX_WAITING = 10_000;
/** Kinds of refusals told apart within a minute, over all tenants. */
const MAX_MERGED = 1_000;
const MERGED_FOR_MS = 60_000;
const FLUSH_MS = 1_000;
/** Lines of one statement. */
const MAX_BATCH = 500;

/**
 * What whoever may not do it can be answered by the thousand: of equal ones within a minute there
 * is one line, with their number.
 */
const MERGED_CODES: ReadonlySet<string> = new Set([
  ErrorCode.Unauthenticated,
  ErrorCode.Forbidden,
  ErrorCode.RateLimited,
]);

export interface AuditLogOptions {
  readonly database: TenantDatabase;
  /**
   * Told of what fails; the lines wait for the next attempt, but those that are refused for their
   * values.
   */
  readonly onError: (error: Error) => void;
  /** Called when lines were written and none failed. */
  readonly onWorks?: () => void;
}

/** Lines as they wait. */
interface Merged {
  readonly kind: string;
  readonly line: AuditLine;
  times: number;
  readonly endsAtMs: number;
}

/**
 * Writes lines off the way of the request, in batches: what was refused or failed, and what has no
 * transaction. What waits is bounded, and of the tenant with the most gives way first; a line of
 * that tenant says how many were lost when lines can be written again.
 */
export class AuditLog {
  readonly #database: TenantDatabase;
  readonly #loop: Loop;
  readonly #onError: (error: Error) => void;
  readonly #onWorks: () => void;
  readonly #merged = new TenantBacklog<Merged>(MAX_MERGED);
  readonly #kinds = new Map<string, Merged>();
  readonly #waiting = new TenantBacklog<AuditLine>(MAX_WAITING);
  #flushing: Promise<void> = Promise.resolve();
  /** Lost since the last line that told of it, by tenant. */
  readonly #untold = new Map<string, number>();
  /** Lines that tell of what was lost, until they are written: by tenant. */
  readonly #telling = new Map<string, AuditLine>();
  /** Lines that the log has: written here, or by the transactions that they tell of. */
  written = 0;
  dropped = 0;
  #refused = 0;

  constructor({ database, onError, onWorks = () => {} }: AuditLogOptions) {
    this.#database = database;
    this.#onError = onError;
    this.#onWorks = onWorks;
    this.#loop = repeat(() => this.flush(), FLUSH_MS, onError);
  }

  /** @param draft whose id the line keeps; its transaction has not written it */
  add(subject: AuditSubject | AuditDraft, outcome: AuditOutcome, codes: readonly string[] = []): void {
    const line: AuditLine = {
      scope: subject.scope,
      subject: storable(subject.subject),
      role: storable(subject.role),
      action: subject.action,
      key: storable(subject.key),
      requestId: storable(subject.requestId),
      id: 'id' in subject ? subject.id : randomUUID(),
      at: new Date(),
      outcome,
      codes,
      times: 1,
    };
    if (codes.length === 1 && MERGED_CODES.has(codes[0] as string)) this.#merge(line);
    else this.#push(line);
  }

  /** Lines that wait to be written. */
  get waiting(): number {
    return this.#waiting.size + this.#merged.size;
  }

  /** What a process that ends now loses: what waits, and what had found no place. */
  get lost(): number {
    const untold = [...this.#untold.values(), ...[...this.#telling.values()].map(({ times }) => times)];
    return untold.reduce((sum, times) => sum + times, this.waiting);
  }

  /**
   * Writes what waits. @throws when that fails; what was not written waits on
   * @param all whether refusals whose minute is not over go, too
   */
  flush(all = false): Promise<void> {
    this.#flushing = this.#flushing.catch(() => {}).then(() => this.#flush(all)); // its own caller is told of a failure
    return this.#flushing;
  }

  /** Writes what waits, if it can. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.flush(true);
  }

  #merge(line: AuditLine): void {
    const { scope, key, subject, role, action, outcome, codes } = line;
    // Of a caller's keys there may be any number; strangers have only the reasons.
    const kind = JSON.stringify([scope?.tenantId ?? key, subject, role, action, outcome, codes]);
    const known = this.#kinds.get(kind);
    if (known) {
      known.times++;
      return;
    }
    const merged = { kind, line, times: 1, endsAtMs: line.at.getTime() + MERGED_FOR_MS };
    this.#kinds.set(kind, merged);
    const lost = this.#merged.push(tenantIdOf(line), merged);
    if (!lost) return;
    this.#kinds.delete(lost.kind);
    this.#drop(lost.line, lost.times);
  }

  #push(line: AuditLine): void {
    const lost = this.#waiting.push(tenantIdOf(line), line);
    if (lost) this.#drop(lost, lost.times);
  }

  #drop(line: AuditLine, times: number): void {
    const tenantId = tenantIdOf(line);
    this.dropped += times;
    this.#untold.set(tenantId, (this.#untold.get(tenantId) ?? 0) + times);
  }

  async #flush(all: boolean): Promise<void> {
    const now = Date.now();
    for (const { kind, line, times } of this.#merged.take(({ endsAtMs }) => all || endsAtMs <= now)) {
      this.#kinds.delete(kind);
      this.#push({ ...line, times });
    }
    const [before, refusedBefore] = [this.written, this.#refused];
    const errors: unknown[] = [];
    for (const tenantId of new Set([...this.#waiting.tenantIds, ...this.#untold.keys(), ...this.#telling.keys()])) {
      try {
        await this.#writeOf(tenantId);
      } catch (error) {
        errors.push(error);
        if (isForAllTenants(error)) break;
      }
    }
    if (errors.length > 0) throw errors[0];
    if (this.written > before && this.#refused === refusedBefore) this.#onWorks();
  }

  async #writeOf(tenantId: string): Promise<void> {
    const insert = (lines: readonly AuditLine[]) => insertLines(this.#database, tenantId, lines);
    const write = async (lines: readonly AuditLine[]) => {
      const refused: { line: AuditLine; reason: Error }[] = [];
      await writeAccepted(lines, insert, (line, reason) => void refused.push({ line, reason }));
      // Only now: a batch that fails after some of its lines is sent again as a whole.
      this.written += lines.length - refused.length;
      this.#refused += refused.length;
      for (const { line, reason } of refused) {
        this.#drop(line, line.times);
        this.#onError(refusal(tenantId, reason));
      }
    };
    await this.#waiting.drain(tenantId, MAX_BATCH, write);
    await this.#tellLost(tenantId);
  }

  /** The line stays the same until it is written, so that it never tells twice of the same loss. */
  async #tellLost(tenantId: string): Promise<void> {
    for (;;) {
      const line = this.#telling.get(tenantId) ?? this.#lostLine(tenantId);
      if (!line) return;
      this.#telling.set(tenantId, line);
      await insertLines(this.#database, tenantId, [line]);
      this.#telling.delete(tenantId);
    }
  }

  /** Tells of what no line has told of yet. */
  #lostLine(tenantId: string): AuditLine | undefined {
    const times = this.#untold.get(tenantId);
    if (times === undefined) return undefined;
    this.#untold.delete(tenantId);
    const about = { scope: null, subject: null, role: null, action: 'audit:lost', key: null, requestId: null };
    return { ...about, id: randomUUID(), at: new Date(), outcome: AuditOutcome.DONE, codes: [], times };
  }
}

function tenantIdOf({ scope }: AuditLine): string {
  return (scope ?? NO_TENANT).tenantId;
}

function refusal(tenantId: string, cause: Error): OperatorError {
  return new OperatorError(
    `lines of tenant ${tenantId} were given up, since audit_log refuses them: ${cause.message}`,
    'Take away what PostgreSQL objects to; later lines are written.',
    { cause },
  );
}

/**
 * Whether no other tenant's lines can be written either: all wait for the service's turn, each for
 * its own locks.
 */
function isForAllTenants(error: unknown): boolean {
  if (error instanceof TurnRefused) return true;
  const { code, message } = error as { readonly code?: string; readonly message?: string };
  return code === TOO_MANY_CONNECTIONS || isUnreachable({ code, message });
}

async function insertLines(database: TenantDatabase, tenantId: string, lines: readonly AuditLine[]): Promise<void> {
  // Not the request's scope, which is stopped with its request.
  const scope = tenantId === NO_TENANT.tenantId ? NO_TENANT : TenantScope.ofBackgroundWrite(tenantId);
  await database.record(scope, { model: 'AuditLine', action: 'insert', query: linesOf(tenantId, lines) });
}
