import { Prisma } from '../generated/prisma/client.ts';
import type { AuditDraft, AuditLine, AuditSubject } from './audit-line.ts';
import { NO_TENANT } from './tenant-scope.ts';

const { sql } = Prisma;

const COLUMNS = sql`tenant_id, at, id, subject, role, action, key, request_id, outcome, codes, times`;

/**
 * A draft's line as a part of the statement that does the work: it is written when `done` has rows.
 * Without a key of its own the line has the id of the first of them.
 */
export function lineOf(draft: AuditDraft, done: Prisma.Sql): Prisma.Sql {
  return sql`INSERT INTO audit_log (${COLUMNS})
    SELECT ${values(draft, sql`coalesce(${draft.key}, (SELECT id::text FROM ${done} LIMIT 1))`)} WHERE EXISTS (SELECT FROM ${done})`;
}

/**
 * The same as a statement of its own, for a transaction that only read, or wrote through Prisma.
 * @param changed what the line has for a key where it has none of its own
 */
export function lineAlone(draft: AuditDraft, changed: string | null): Prisma.Sql {
  return sql`INSERT INTO audit_log (${COLUMNS}) SELECT ${values(draft, sql`${draft.key ?? changed}::text`)}`;
}

function values({ scope, id, subject, role, action, requestId }: AuditDraft, key: Prisma.Sql): Prisma.Sql {
  return sql`${(scope ?? NO_TENANT).tenantId}::uuid, clock_timestamp(), ${id}::uuid, ${subject}::text, ${role}::text,
    ${action}::text, ${key}, ${requestId}::text, 'DONE', '{}'::text[], 1`;
}

/** What an operator's command did to many tenants alike. */
export interface OperatorLine
  extends Pick<AuditSubject, 'subject' | 'action' | 'key'>,
    Pick<AuditLine, 'outcome' | 'codes'> {
  readonly tenantIds: readonly string[];
}

/**
 * A line for each of the tenants. Row-level security checks each row as it is written, and so each
 * row sets its own tenant first.
 */
export function operatorLines({ tenantIds, subject, action, key, outcome, codes }: OperatorLine): Prisma.Sql {
  return sql`INSERT INTO audit_log (${COLUMNS})
    SELECT set_config('app.tenant_id', tenant::text, true)::uuid, clock_timestamp(), gen_random_uuid(), ${subject}::text, NULL,
      ${action}::text, ${key}::text, NULL, ${outcome}::text, ${codes}::text[], 1
    FROM unnest(${tenantIds}::uuid[]) AS tenant`;
}

/**
 * Many lines of one tenant, given as JSON: those of a lost COMMIT only when the transaction did not
 * write them after all. Times are those of the lines. Lines that are there already stay as they
 * are: a batch whose answer was lost is sent again.
 */
export function linesOf(tenantId: string, lines: readonly AuditLine[]): Prisma.Sql {
  const json = JSON.stringify(lines.map(({ scope: _, ...line }) => line));
  return sql`INSERT INTO audit_log (${COLUMNS})
    SELECT ${tenantId}::uuid, line.* FROM json_to_recordset(${json}::json) AS line (at timestamptz, id uuid, subject text, role text,
      action text, key text, "requestId" text, outcome text, codes text[], times integer)
    WHERE outcome <> 'UNKNOWN' OR NOT EXISTS (
      SELECT FROM audit_log known WHERE known.tenant_id = ${tenantId}::uuid AND known.id = line.id
        AND known.at > line.at - interval '10 minutes')
    ON CONFLICT DO NOTHING`;
}
