import { performance } from 'node:perf_hooks';
import { LRUCache } from 'lru-cache';
import { tablesIn } from '../database/tables-read.ts';
import type { RequestTrace } from '../telemetry/request-trace.ts';
import type { StatementEvent } from '../tenancy/statement-event.ts';

/** Statements of the service have some hundred texts, since each is prepared. */
const MAX_TEXTS = 1_000;
/** Of a summary: more tables say no more of what a statement is for. */
const MAX_TABLES = 3;
const NOT_SQLSTATE = '_OTHER';

const WRITES = /\b(INSERT)\s+INTO\b|\b(UPDATE)\s+[\w"]|\b(DELETE)\s+FROM\b|\b(MERGE)\s+INTO\b/i;
const FIRST_WORD = /[a-z]+/i;

/** What the text of a statement tells, as the semantic conventions of databases name it. */
interface TracedText {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
}

const known = new LRUCache<string, TracedText>({ max: MAX_TEXTS });

/**
 * Adds a finished statement to the spans of its request.
 * @param showsText whether its text goes along, which has placeholders and no values: to export it
 *   is half of what tracing costs a dashboard (docs/performance.md)
 */
export function traceStatement(trace: RequestTrace, event: StatementEvent, showsText: boolean): void {
  const { sql, model, action, durationMs, rows, failed, sqlState } = event;
  const { name, attributes, text } = known.get(sql) ?? read(sql);
  trace.add({
    name,
    attributes: {
      ...attributes,
      ...((showsText || failed) && { 'db.query.text': text }),
      'tenantry.statement': model ? `${model}.${action}` : action,
      ...(failed ? sqlState && { 'db.response.status_code': sqlState } : { 'db.response.returned_rows': rows }),
    },
    startedAtMs: performance.now() - durationMs,
    ...(failed && { errorType: sqlState ?? NOT_SQLSTATE }),
  });
}

function read(sql: string): TracedText {
  const operation = operationOf(sql);
  const tables = tablesIn(sql);
  const summary = [operation, ...tables.slice(0, MAX_TABLES)].join(' ');
  const attributes = {
    'db.system.name': 'postgresql',
    'db.operation.name': operation,
    ...(tables.length === 1 && tables[0] && { 'db.collection.name': tables[0] }),
    'db.query.summary': summary,
  };
  const traced = { name: summary, attributes, text: sql.replace(/\s+/g, ' ').trim() };
  known.set(sql, traced);
  return traced;
}

/** A statement that begins with WITH changes rows, or else selects. */
function operationOf(sql: string): string {
  const first = FIRST_WORD.exec(sql)?.[0].toUpperCase() ?? NOT_SQLSTATE;
  if (first !== 'WITH') return first;
  return WRITES.exec(sql)?.slice(1).find(Boolean)?.toUpperCase() ?? 'SELECT';
}
