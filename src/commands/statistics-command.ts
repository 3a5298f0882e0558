import type pg from 'pg';
import { recorded } from '../audit/operator-line.ts';
import type { CommandSpec } from '../cli/command-line.ts';
import { databaseFaults, faultLine } from '../database/faults.ts';
import { OperatorError } from '../errors.ts';
import { checkStatistics, rebuildStatistics } from '../statistics/check.ts';
import type { TenantEntry } from '../tenancy/tenant-directory.ts';
import { type CommandDatabaseOptions, openCommandDatabase } from './command-database.ts';
import { showTenants } from './named-tenant.ts';

const OPTIONS = {
  tenant: { type: 'string', value: '<slug>', description: 'Only this tenant. Default: every one.' },
} as const;

export const REBUILD: CommandSpec<typeof OPTIONS> = {
  name: 'statistics:rebuild',
  summary:
    "Recomputes the totals behind dashboards and statistics from the accounts and transactions, one tenant after another.\nA tenant's writers wait while its own totals are made; readers see the old ones until then.",
  options: OPTIONS,
};

export const CHECK: CommandSpec<typeof OPTIONS> = {
  name: 'statistics:check',
  summary:
    'Compares the totals behind dashboards and statistics with the accounts and transactions, and reports differences.\nFirst it looks whether the triggers, policies, functions and keys are there that keep them.',
  options: OPTIONS,
  exitCodes: {
    2: 'there are differences; statistics:rebuild corrects them',
    3: 'what keeps the totals is missing or disabled',
  },
};

export async function rebuildCommand({ options }: { options: { tenant: string | undefined } }): Promise<number> {
  return eachTenant({ command: REBUILD.name, writes: [] }, options.tenant, async (client, { id, slug }) => {
    const startedAt = performance.now();
    await recorded(client, { action: 'statistics:rebuild', tenantId: id, key: null }, () =>
      rebuildStatistics(client, id),
    );
    process.stdout.write(`${slug}: rebuilt in ${Math.round(performance.now() - startedAt)} ms\n`);
    return 0;
  });
}

export async function checkCommand({ options }: { options: { tenant: string | undefined } }): Promise<number> {
  const reportFaults = async (client: pg.ClientBase) => {
    const faults = await databaseFaults(client);
    for (const fault of faults) process.stdout.write(`database: ${faultLine(fault)}\n`);
    return faults.length === 0 ? 0 : 3;
  };
  return eachTenant({ command: CHECK.name, before: reportFaults }, options.tenant, async (client, { id, slug }) => {
    const differences = await checkStatistics(client, id);
    for (const { kind, key, kept, actual } of differences)
      process.stdout.write(`${slug}: ${kind} ${key}: kept ${kept}, the rows say ${actual}\n`);
    if (differences.length === 0) process.stdout.write(`${slug}: right\n`);
    return differences.length === 0 ? 0 : 2;
  });
}

/** @returns the highest of the codes */
async function eachTenant(
  { before, ...database }: CommandDatabaseOptions & { before?: (client: pg.ClientBase) => Promise<number> },
  slug: string | undefined,
  work: (client: pg.ClientBase, tenant: TenantEntry) => Promise<number>,
): Promise<number> {
  const { client, close } = await openCommandDatabase(database);
  try {
    let code = (await before?.(client)) ?? 0;
    for (const tenant of await tenantsOf(client, slug)) code = Math.max(code, await work(client, tenant));
    return code;
  } finally {
    await close();
  }
}

async function tenantsOf(client: pg.ClientBase, slug: string | undefined): Promise<TenantEntry[]> {
  await showTenants(client);
  const { rows } = await client.query<TenantEntry>(
    'SELECT id, slug FROM tenants WHERE $1::text IS NULL OR slug = $1 ORDER BY slug',
    [slug ?? null],
  );
  if (slug !== undefined && rows.length === 0)
    throw new OperatorError(
      `There is no tenant "${slug}".`,
      'Give the slug of a tenant; without --tenant all are done.',
    );
  return rows;
}
