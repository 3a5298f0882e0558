import type pg from 'pg';
import { recordedTogether } from '../audit/operator-line.ts';
import { type CommandLine, type CommandSpec, wholeNumber } from '../cli/command-line.ts';
import { formatCount } from '../cli/format.ts';
import { LEAST_POINTS_PER_MINUTE } from '../config/config.ts';
import { OperatorError } from '../errors.ts';
import { MAX_INTEGER } from '../limits.ts';
import { openCommandDatabase } from './command-database.ts';
import { slugAsked, tenantBySlug } from './named-tenant.ts';

const OPTIONS = {
  tenant: { type: 'string', value: '<slug>', description: 'Whose budget. Required.' },
  points: {
    type: 'string',
    value: '<number>',
    description: `Points that all its callers together may spend in a minute: ${LEAST_POINTS_PER_MINUTE} to ${MAX_INTEGER}.`,
  },
  default: { type: 'boolean', description: 'No number of its own: LIMIT_TENANT_POINTS_PER_MINUTE holds.' },
} as const;

export const BUDGET: CommandSpec<typeof OPTIONS> = {
  name: 'tenants:budget',
  summary:
    'Gives a tenant a budget of its own, or the default of the service again. Without --points and --default it shows what\n' +
    'the tenant has, and changes nothing. The service follows within a minute, in all processes.',
  options: OPTIONS,
  notes:
    "To change it, the login of DATABASE_URL must own the tables, or be a member of the role that does: the service's may not.",
};

interface TenantBudget {
  readonly id: string;
  readonly slug: string;
  /** Null: the default. */
  readonly points: number | null;
}

export async function budgetCommand({ options }: CommandLine<typeof OPTIONS>): Promise<number> {
  const asked = slugAsked(options.tenant);
  const points = pointsAsked(options.points, options.default);
  const isChange = points !== undefined;
  const { client, close } = await openCommandDatabase({
    command: BUDGET.name,
    ...(isChange && { writes: ['tenants'] }),
  });
  try {
    const tenant = await tenantBySlug<TenantBudget>(client, asked, 'id, slug, points_per_minute AS points');
    if (isChange) await setPoints(client, tenant, points);
    process.stdout.write(`${shown(isChange ? { ...tenant, points } : tenant)}\n`);
    return 0;
  } finally {
    await close();
  }
}

/** @returns null for the default, undefined when it is only to be shown */
function pointsAsked(points: string | undefined, isDefault: boolean): number | null | undefined {
  if (points === undefined) return isDefault ? null : undefined;
  if (isDefault)
    throw new OperatorError(
      `--default is no number of the tenant's own, and --points is "${points}".`,
      'Give one of the two; nothing was changed.',
    );
  return wholeNumber('points', points, LEAST_POINTS_PER_MINUTE, MAX_INTEGER);
}

async function setPoints(client: pg.ClientBase, { id, slug }: TenantBudget, points: number | null): Promise<void> {
  const action = { action: 'tenants:budget', tenantId: id, key: points === null ? 'default' : String(points) } as const;
  await recordedTogether(client, action, async () => {
    const { rowCount } = await client.query('UPDATE tenants SET points_per_minute = $2 WHERE id = $1', [id, points]);
    if (rowCount !== 1) throw new OperatorError(`The tenant "${slug}" was deleted just now.`, 'Nothing was changed.');
  });
}

function shown({ slug, points }: TenantBudget): string {
  return points === null
    ? `${slug}: the default of the service (LIMIT_TENANT_POINTS_PER_MINUTE)`
    : `${slug}: ${formatCount(points)} points a minute`;
}
