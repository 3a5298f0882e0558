import type pg from 'pg';
import { type AuditFilter, newestLines } from '../audit/audit.repository.ts';
import type { AuditEntry } from '../audit/audit.type.ts';
import { AUDIT_ACTIONS } from '../audit/audit-actions.ts';
import { parseLifetimeSeconds } from '../auth/lifetime.ts';
import { isDay } from '../calendar-day.ts';
import { type CommandLine, type CommandSpec, wholeNumber } from '../cli/command-line.ts';
import { printable } from '../cli/format.ts';
import { formatTable } from '../cli/table.ts';
import { OperatorError } from '../errors.ts';
import { NO_TENANT } from '../tenancy/tenant-scope.ts';
import { openCommandDatabase } from './command-database.ts';
import { showTenants } from './named-tenant.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const SPAN = /^\d+[smhd]$/;

const OPTIONS = {
  tenant: {
    type: 'string',
    value: '<slug or id>',
    description: 'Lines of this tenant; of a deleted one by its id. Required, unless --no-tenant is given.',
  },
  'no-tenant': {
    type: 'boolean',
    description: 'Lines of no tenant: refused tokens, and commands that work on all.',
  },
  since: { type: 'string', value: '<time>', default: '24h', description: 'As in 2h, 7d, or a date: 2026-11-29.' },
  until: { type: 'string', value: '<time>', description: 'Before it, given as --since is. Default: now.' },
  who: { type: 'string', value: '<subject>', description: 'Only of this subject.' },
  what: { type: 'string', value: '<action>', description: 'Only this mutation, refresh, token or command.' },
  limit: { type: 'string', value: '<lines>', default: '1000', description: 'The newest, at most so many.' },
  json: { type: 'boolean', description: 'As JSON, a line each.' },
} as const;

export const AUDIT: CommandSpec<typeof OPTIONS> = {
  name: 'audit',
  summary: 'Shows who did what, newest first, and what came of it. It reads and changes nothing.',
  options: OPTIONS,
  notes:
    'What was refused or failed is written within some seconds. Refused tokens, missing rights and refreshes beyond the\n' +
    'budget come after a minute: equal ones of it share a line.',
};

const FIELDS = ['at', 'subject', 'role', 'action', 'key', 'outcome', 'codes', 'times', 'requestId'] as const;

type Line = Pick<AuditEntry, (typeof FIELDS)[number]>;

/** @param now what a span of time is counted from */
export async function auditCommand({ options }: CommandLine<typeof OPTIONS>, now = Date.now()): Promise<number> {
  const since = timeOf('since', options.since, now);
  const until = options.until === undefined ? null : timeOf('until', options.until, now);
  if (until !== null && until <= since) refuseEmptySpan(since, until);
  const limit = wholeNumber('limit', options.limit, 1, 1_000_000);
  if ((options.tenant === undefined) !== options['no-tenant'])
    throw new OperatorError(
      options['no-tenant']
        ? 'Only one of --tenant and --no-tenant may be given, but both are.'
        : 'One of --tenant and --no-tenant must be given.',
      'Give the slug or the id of a tenant, or --no-tenant for lines of none.',
    );
  checkAction(options.what);
  const { client, close } = await openCommandDatabase({ command: AUDIT.name });
  try {
    const tenantId = options.tenant === undefined ? NO_TENANT.tenantId : await tenantIdOf(client, options.tenant);
    const filter = { since, until, who: options.who ?? null, what: options.what ?? null };
    const lines = await linesOf(client, tenantId, filter, limit);
    process.stdout.write(options.json ? asJson(lines) : `${asTable(lines, filter)}\n`);
    if (lines.length === limit)
      process.stderr.write(
        `These are the newest ${limit}; there may be more: --limit, --until, or another --who or --what.\n`,
      );
    return 0;
  } finally {
    await close();
  }
}

/** @throws OperatorError for what is never recorded */
function checkAction(what: string | undefined): void {
  if (what === undefined || AUDIT_ACTIONS.includes(what)) return;
  throw new OperatorError(
    `--what must be one of ${AUDIT_ACTIONS.join(', ')}, but got: "${what}".`,
    'Give one of these, or leave it out to see all.',
  );
}

/** @throws OperatorError for what is neither a span of time nor a date */
export function timeOf(name: 'since' | 'until', text: string, now: number): string {
  if (SPAN.test(text)) return new Date(now - parseLifetimeSeconds(name, text) * 1000).toISOString();
  const day = /^\d{4}-\d\d-\d\d/.exec(text)?.[0];
  if (day && !isDay(day))
    throw new OperatorError(
      `--${name} must be a day of the calendar, but ${day} does not exist, in: "${text}".`,
      `Give one that does, for example --${name} 2026-02-28.`,
    );
  const atMs = day ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(atMs)) return new Date(atMs).toISOString();
  throw new OperatorError(
    `--${name} must be a span of time such as 2h or 7d, or a date, but got: "${text}".`,
    `Give it for example as --${name} 7d, or --${name} 2026-11-29T08:00:00Z.`,
  );
}

function refuseEmptySpan(since: string, until: string): never {
  throw new OperatorError(
    `--until must be after --since, which is ${since}, but is ${until}.`,
    'Give an earlier --since, or a later --until.',
  );
}

/** A tenant's lines outlive it: then its id is all there is to name it by. */
async function tenantIdOf(client: pg.ClientBase, named: string): Promise<string> {
  await showTenants(client);
  const { rows } = await client.query<{ id: string }>(
    'SELECT id FROM tenants WHERE slug = $1 OR id::text = lower($1) ORDER BY slug = $1 DESC LIMIT 1',
    [named],
  );
  if (rows[0]) return rows[0].id;
  if (UUID.test(named) && (await hasLines(client, named))) return named;
  throw new OperatorError(
    `There is no tenant "${named}".`,
    'Give the slug or the id of a tenant; of a deleted one the id.',
  );
}

async function hasLines(client: pg.ClientBase, tenantId: string): Promise<boolean> {
  return (await linesOf(client, tenantId, { since: null, who: null, what: null }, 1)).length > 0;
}

async function linesOf(client: pg.ClientBase, tenantId: string, filter: AuditFilter, limit: number): Promise<Line[]> {
  await client.query("SELECT set_config('app.tenant_id', $1, false)", [tenantId]);
  const { text, values } = newestLines({ tenantId }, filter, new Set(FIELDS), limit);
  return (await client.query<Line>(text, values)).rows;
}

function asJson(lines: readonly Line[]): string {
  return lines.map((line) => `${JSON.stringify(line, [...FIELDS])}\n`).join('');
}

function asTable(lines: readonly Line[], { who, what }: AuditFilter): string {
  if (lines.length === 0)
    return who || what ? 'Nothing of that was done in that time.' : 'Nothing was done in that time.';
  const rows = lines.map(({ at, subject, role, action, key, outcome, codes, times, requestId }) => [
    at,
    printable(subject ?? '-'),
    role ?? '-',
    action,
    printable(key ?? '-'),
    [outcome, ...codes].join(' '),
    String(times),
    requestId ?? '-',
  ]);
  return formatTable(['at', 'who', 'role', 'what', 'key', 'outcome', 'times', 'request'], rows);
}
