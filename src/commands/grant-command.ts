import { isDeepStrictEqual } from 'node:util';
import type pg from 'pg';
import { recorded } from '../audit/operator-line.ts';
import type { CommandLine, CommandSpec } from '../cli/command-line.ts';
import {
  administratorsLine,
  quoted,
  type RightsFinding,
  type RoleRights,
  reportOf,
  rightsOf,
} from '../database/role-rights.ts';
import { SERVICE_ROLE } from '../database/service-rights.ts';
import { OperatorError, type OperatorErrorCode, StateError } from '../errors.ts';
import { openCommandDatabase } from './command-database.ts';

const OPTIONS = {
  role: {
    type: 'string',
    value: '<name>',
    default: SERVICE_ROLE,
    description: 'The role that the service logs in as, or is a member of.',
  },
  check: { type: 'boolean', description: 'Only report; change nothing.' },
} as const;

type Queryable = Pick<pg.ClientBase, 'query'>;

/** Some of what the report says is left. */
const NOT_RIGHT = 3;
/** What a login may not change that does not own the tables. */
const INSUFFICIENT_PRIVILEGE = '42501';

/** With its schema, quoted; and what a call without arguments may mean as well. */
const SETTLING_FUNCTIONS = `
  SELECT (SELECT format('%I.settle_ownership()', current_schema())
            FROM pg_proc WHERE pronamespace = current_schema()::regnamespace AND proname = 'settle_ownership' AND pronargs = 0) AS own,
         ARRAY(SELECT oid::regprocedure::text FROM pg_proc
                WHERE pronamespace = current_schema()::regnamespace AND proname = 'settle_ownership'
                  AND pronargs > 0 AND pronargs = pronargdefaults ORDER BY 1) AS others`;

export const GRANT: CommandSpec<typeof OPTIONS> = {
  name: 'db:grant',
  summary:
    'Gives a role the rights that the service needs in the database, and takes away what else it may do there: for a role that\n' +
    'was made after the migrations. Then it reports what the role lacks or has too much, each with the SQL that corrects it.\n' +
    'The login of DATABASE_URL must own the tables, or be a member of the role that does.',
  options: OPTIONS,
  exitCodes: { [NOT_RIGHT]: 'the role lacks something or may do too much, or the owner of the tables may log in' },
};

/** @param say told each line of the report */
export async function grantCommand(
  { options: { role, check } }: CommandLine<typeof OPTIONS>,
  say: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
): Promise<number> {
  const database = await openCommandDatabase({ command: GRANT.name, ...(!check && { writes: [] }) });
  try {
    const grant = () => grantRights(database.client, role);
    const action = { action: 'db:grant', tenantId: null, key: role } as const;
    const { told } = check ? { told: [] } : await recorded(database.client, action, grant, codeOfNothingDone);
    for (const line of told) say(line);
    const rights = await requiredRights(database.client, role);
    const lines = reportOf(rights);
    for (const line of lines.filter((it) => !told.some((done) => done.includes(it)))) say(line);
    if (lines.length === 0) say(`${rights.role} has the rights that the service needs, and no others.`);
    return lines.length ? NOT_RIGHT : 0;
  } finally {
    await database.close();
  }
}

/** What `grantRights` came to. */
interface Granted {
  /** What was done, and what an administrator must do first, in one line each. */
  readonly told: readonly string[];
  /** Whether something is not right, and the report is as it was before. */
  readonly isFutile: boolean;
}

function codeOfNothingDone({ isFutile }: Granted): OperatorErrorCode | undefined {
  return isFutile ? 'FAILED_PRECONDITION' : undefined;
}

/**
 * Gives the role what it lacks and takes away what it has too much, as far as the caller may.
 */
export async function grantRights(client: Queryable, role: string): Promise<Granted> {
  const found = reportOf(await requiredRights(client, role));
  const undone = await settleOwnership(client);
  // After the owner may have changed.
  const before = findingsOf(await requiredRights(client, role));
  for (const { remedy } of before.filter(({ isOwners }) => isOwners)) await runIfAllowed(client, remedy);
  const after = await requiredRights(client, role);
  const left = new Set(findingsOf(after).map(({ what }) => what));
  const done = before.filter(({ what }) => !left.has(what)).map(({ remedy }) => `done: ${remedy}`);
  const isFutile = found.length > 0 && isDeepStrictEqual(reportOf(after), found);
  return { told: undone ? [`not done: ${withStatements(undone, after)}`, ...done] : done, isFutile };
}

/**
 * The function says why; what to run it knows for a login alone that inherits what it is granted.
 */
function withStatements(undone: string, rights: RoleRights): string {
  const line = administratorsLine(rights);
  return line ? undone.replace(/An administrator runs: .*$/s, () => line) : undone;
}

/**
 * @returns what an administrator must do; null when the tables and functions belong to a role that
 *   does not log in
 */
async function settleOwnership(client: Queryable): Promise<string | null> {
  const { rows: known } = await client.query<{ own: string | null; others: string[] }>(SETTLING_FUNCTIONS);
  const { own, others } = known[0] ?? { own: null, others: [] };
  if (!own) throw new StateError('The database lacks migrations; nothing was changed.', 'Run: npm run db:migrate');
  if (others.length)
    throw new StateError(
      `PostgreSQL cannot tell settle_ownership() from ${others.join(' and ')}; nothing was changed.`,
      `Their owner, or an administrator, runs: DROP ROUTINE ${others.join(', ')}; then run this again.`,
    );
  const { rows } = await client.query<{ undone: string | null }>(`SELECT ${own} AS undone`);
  return rows[0]?.undone ?? null;
}

function findingsOf({ lacks, surplus }: RoleRights): RightsFinding[] {
  return [...lacks, ...surplus];
}

/** What may not be done is in the report. */
async function runIfAllowed(client: Queryable, sql: string): Promise<void> {
  try {
    await client.query(sql);
  } catch (error) {
    if ((error as { code?: unknown }).code !== INSUFFICIENT_PRIVILEGE) throw error;
  }
}

async function requiredRights(client: Queryable, role: string): Promise<RoleRights> {
  const rights = await rightsOf(client, role);
  if (rights?.ownsTables)
    throw new OperatorError(
      `The role ${rights.role} owns the tables, and is no role for the service; nothing was changed.`,
      `As an administrator ${rights.ownsTables}`,
    );
  if (rights) return rights;
  const name = await quoted(client, role);
  throw new OperatorError(
    `There is no role ${name} on the server of this database.`,
    `As an administrator: CREATE ROLE ${name} LOGIN PASSWORD '…'; then run this again.`,
  );
}
