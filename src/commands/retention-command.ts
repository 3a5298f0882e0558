import type pg from 'pg';
import { recordedTogether } from '../audit/operator-line.ts';
import { type CommandLine, type CommandSpec, wholeNumber } from '../cli/command-line.ts';
import { formatCount } from '../cli/format.ts';
import { Progress } from '../cli/progress.ts';
import { OperatorError } from '../errors.ts';
import { foldPiece } from '../transactions/transaction.folding.ts';
import { openCommandDatabase } from './command-database.ts';
import { slugAsked, tenantBySlug } from './named-tenant.ts';

/** As the table's CHECK: answers and audits look back a month at least. */
const LEAST_DAYS = 31;
const MOST_DAYS = 36_500;
const PIECE_ROWS = 5_000;

const OPTIONS = {
  tenant: { type: 'string', value: '<slug>', description: 'Whose transactions. Required.' },
  days: {
    type: 'string',
    value: '<number>',
    description: `Days that transactions are kept as rows: ${LEAST_DAYS} to ${MOST_DAYS}.`,
  },
  forever: { type: 'boolean', description: 'Keep all that are there. What is folded stays folded.' },
  fold: { type: 'boolean', description: 'Fold now what is older, instead of leaving it to the service.' },
  'dry-run': { type: 'boolean', description: 'Only tell how many would be folded; change nothing.' },
  json: { type: 'boolean', description: 'One JSON object for programs.' },
} as const;

export const RETENTION: CommandSpec<typeof OPTIONS> = {
  name: 'tenants:retention',
  summary:
    'Says how long a tenant keeps its transactions. Older ones are folded: their rows are removed for good, and their sums\n' +
    'stay in dashboards and statistics, which do not change. The service folds in the background. Without --days and\n' +
    '--forever it shows what holds.',
  options: OPTIONS,
  notes:
    "To change it, the login of DATABASE_URL must own the tables, or be a member of the role that does: the service's may not.\n" +
    'What shall be kept elsewhere is copied before: folded rows are gone.',
};

interface Retention {
  readonly id: string;
  readonly slug: string;
  /** Null: for ever. */
  readonly days: number | null;
  /** Instant; null: nothing was folded. */
  readonly foldedUntil: string | null;
}

/** What the command tells. */
interface Shown extends Omit<Retention, 'id'> {
  /** Transactions that are older than `days`, and not folded yet. */
  readonly due: number;
  /** Folded by this command. */
  readonly folded: number;
}

const COLUMNS = `id, slug, keep_transactions_days AS days,
  to_char(folded_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS "foldedUntil"`;

export async function retentionCommand({ options }: CommandLine<typeof OPTIONS>): Promise<number> {
  const asked = slugAsked(options.tenant);
  const days = daysAsked(options.days, options.forever);
  const isChange = days !== undefined && !options['dry-run'];
  const folds = options.fold && !options['dry-run'];
  const { client, close } = await openCommandDatabase({
    command: RETENTION.name,
    ...((isChange || folds) && { writes: [] }),
  });
  try {
    const tenant = await tenantBySlug<Retention>(client, asked, COLUMNS);
    if (isChange) await setDays(client, tenant, days);
    const kept = days === undefined ? tenant.days : days;
    const folded = folds ? await foldAll(client, tenant) : 0;
    const { slug, foldedUntil } = folded ? await tenantBySlug<Retention>(client, asked, COLUMNS) : tenant;
    const shown = { slug, days: kept, foldedUntil, due: await countDue(client, tenant.id, kept), folded };
    process.stdout.write(options.json ? `${JSON.stringify(shown)}\n` : textOf(shown, options['dry-run']));
    return 0;
  } finally {
    await close();
  }
}

/** @returns null for all, undefined when it is only to be shown */
function daysAsked(days: string | undefined, forever: boolean): number | null | undefined {
  if (days === undefined) return forever ? null : undefined;
  if (forever)
    throw new OperatorError(
      `--forever keeps all transactions, and --days is "${days}".`,
      'Give one of the two; nothing was changed.',
    );
  return wholeNumber('days', days, LEAST_DAYS, MOST_DAYS);
}

async function setDays(client: pg.ClientBase, { id, slug }: Retention, days: number | null): Promise<void> {
  const action = { action: 'tenants:retention', tenantId: id, key: days === null ? 'forever' : String(days) } as const;
  await recordedTogether(client, action, async () => {
    const { rowCount } = await client.query('UPDATE tenants SET keep_transactions_days = $2 WHERE id = $1', [id, days]);
    if (rowCount !== 1) throw new OperatorError(`The tenant "${slug}" was deleted just now.`, 'Nothing was changed.');
  });
}

async function countDue(client: pg.ClientBase, tenantId: string, days: number | null): Promise<number> {
  if (days === null) return 0;
  await client.query("SELECT set_config('app.tenant_id', $1, false)", [tenantId]);
  const { rows } = await client.query<{ due: string }>(
    `SELECT count(*) AS due FROM transactions, (SELECT time_zone FROM tenants WHERE id = $1) tenant
      WHERE tenant_id = $1
        AND booked_at < ((clock_timestamp() AT TIME ZONE time_zone)::date - $2::integer)::timestamp AT TIME ZONE time_zone`,
    [tenantId, days],
  );
  return Number(rows[0]?.due ?? 0);
}

/** Piece by piece, each a transaction of its own: others go on, and what is cut off goes on later. */
async function foldAll(client: pg.ClientBase, { id, slug }: Retention): Promise<number> {
  const progress = new Progress();
  let folded = 0;
  try {
    for (;;) {
      const piece = await foldPiece(client, id, PIECE_ROWS);
      if (piece === 0) return folded;
      folded += piece;
      progress.update(() => `${slug}: ${formatCount(folded)} transactions folded`);
    }
  } finally {
    progress.close();
  }
}

function textOf({ slug, days, foldedUntil, due, folded }: Shown, isDryRun: boolean): string {
  const lines = [
    days === null ? `${slug}: keeps its transactions for ever` : `${slug}: keeps its transactions for ${days} days`,
    ...(foldedUntil ? [`  folded: those from before ${foldedUntil}`] : []),
    ...(folded ? [`  folded now: ${formatCount(folded)}`] : []),
    ...(due ? [`  older and not folded yet: ${formatCount(due)}`] : []),
    ...(isDryRun ? ['  dry run: nothing was changed'] : []),
  ];
  return `${lines.join('\n')}\n`;
}
