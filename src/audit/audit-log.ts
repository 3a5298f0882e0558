import { randomUUID } from 'node:crypto';
import { ErrorCode } from '../errors.ts';
import { Loop } from '../loop.ts';
import { linesOf } from '../tenancy/audit.sql.ts';
import { type AuditDraft, type AuditLine, AuditOutcome, type AuditSubject, storable } from '../tenancy/audit-line.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import { NO_TENANT, TenantScope } from '../tenancy/tenant-scope.ts';

/** Lines that wait at most, over all tenants; some 10 MB. */
const MAX_WAITING = 10_000;
/** Kinds of refusals told apart within a minute. */
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
  /** Told of what fails; the lines wait for the next attempt. */
  readonly onError: (error: Error) => void;
  readonly onWorks?: () => void;
}

/** Lines as they wait. */
interface Merged {
  readonly line: AuditLine;
  times: number;
  readonly endsAtMs: number;
}

/**
 * Writes lines off the way of the request, in batches: what was refused or failed, and what has no
 * transaction. What waits is bounded; what finds no place is counted, and a line says how many when
 * lines can be written again.
 */
export class AuditLog {
  readonly #database: TenantDatabase;
  readonly #loop: Loop;
  readonly #merged = new Map<string, Merged>();
  #waiting: AuditLine[] = [];
  #flushing: Promise<void> = Promise.resolve();
  /** Lost since the last line that told of it. */
  #untold = 0;
  written = 0;
  dropped = 0;

  constructor({ database, onError, onWorks = () => {} }: AuditLogOptions) {
    this.#database = database;
    this.#loop = new Loop(
      async () => {
        await this.flush();
        return FLUSH_MS;
      },
      (error) => {
        onError(error);
        return FLUSH_MS;
      },
      onWorks,
    );
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
    return this.#waiting.length + this.#merged.size;
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
    const known = this.#merged.get(kind);
    if (known) known.times++;
    else if (this.#merged.size < MAX_MERGED)
      this.#merged.set(kind, { line, times: 1, endsAtMs: line.at.getTime() + MERGED_FOR_MS });
    else this.#drop(1);
  }

  #push(line: AuditLine): void {
    if (this.#waiting.length < MAX_WAITING) this.#waiting.push(line);
    else this.#drop(line.times);
  }

  #drop(lines: number): void {
    this.dropped += lines;
    this.#untold += lines;
  }

  async #flush(all: boolean): Promise<void> {
    const now = Date.now();
    for (const [kind, { line, times, endsAtMs }] of this.#merged)
      if (all || endsAtMs <= now) {
        this.#merged.delete(kind);
        this.#push({ ...line, times });
      }
    for (const lines of batches(this.#waiting)) await this.#write(lines);
    if (this.#untold > 0) await this.#tellLost(this.#untold);
  }

  async #write(lines: readonly AuditLine[]): Promise<void> {
    await insertLines(this.#database, lines);
    this.written += lines.length;
    const done = new Set(lines);
    this.#waiting = this.#waiting.filter((line) => !done.has(line));
  }

  async #tellLost(times: number): Promise<void> {
    const about = { scope: null, subject: null, role: null, action: 'audit:lost', key: null, requestId: null };
    const line = { ...about, id: randomUUID(), at: new Date(), outcome: AuditOutcome.DONE, codes: [], times };
    await insertLines(this.#database, [line]);
    this.#untold -= times;
  }
}

/** Of one tenant each, since each statement is of one tenant. */
function batches(lines: readonly AuditLine[]): AuditLine[][] {
  const ofTenant = new Map<string, AuditLine[][]>();
  for (const line of lines) {
    const { tenantId } = line.scope ?? NO_TENANT;
    const own = ofTenant.get(tenantId) ?? [];
    const last = own.at(-1);
    if (last && last.length < MAX_BATCH) last.push(line);
    else own.push([line]);
    ofTenant.set(tenantId, own);
  }
  return [...ofTenant.values()].flat();
}

async function insertLines(database: TenantDatabase, lines: readonly AuditLine[]): Promise<void> {
  // Not the request's scope, which is stopped with its request.
  const { tenantId } = lines[0]?.scope ?? NO_TENANT;
  const scope = tenantId === NO_TENANT.tenantId ? NO_TENANT : TenantScope.ofAudit(tenantId);
  await database.select(scope, { model: 'AuditLine', action: 'insert', query: linesOf(tenantId, lines) });
}
