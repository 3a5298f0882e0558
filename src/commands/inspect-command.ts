import { openOperatorRedis } from '../cache/redis/operator-redis.ts';
import { type CommandSpec, wholeNumber } from '../cli/command-line.ts';
import type { TenantEntry } from '../tenancy/tenant-directory.ts';
import { TenantScope } from '../tenancy/tenant-scope.ts';
import { findEntries } from './cache-inspection/find-entries.ts';
import { type Inspection, inspectionJson, inspectionText } from './cache-inspection/inspection-report.ts';
import type { KeptEntry } from './cache-inspection/kept-entry.ts';
import { Summary } from './cache-inspection/summary.ts';
import { readTenantState } from './cache-inspection/tenant-state.ts';
import { openCommandDatabase } from './command-database.ts';
import { patternAsked } from './invalidate-command.ts';
import { slugAsked, tenantBySlug } from './named-tenant.ts';

const MAX_LIMIT = 1_000;
const MAX_KEYS = 1_000_000_000;

const OPTIONS = {
  tenant: { type: 'string', value: '<slug>', description: 'The tenant. Required.' },
  pattern: {
    type: 'string',
    value: '<pattern>',
    default: '*',
    description: 'Only entries that depend on it; the patterns are those of cache:invalidate.',
  },
  limit: { type: 'string', value: '<number>', default: '20', description: 'Entries to show one by one, the youngest.' },
  'max-keys': {
    type: 'string',
    value: '<number>',
    default: '1000000',
    description: 'Keys of Redis to walk at most.',
  },
  json: { type: 'boolean', description: 'Print JSON.' },
} as const;

export const INSPECT: CommandSpec<typeof OPTIONS> = {
  name: 'cache:inspect',
  summary:
    "Shows what Redis keeps of a tenant's answers: whether it is trusted, the versions, and the entries by state.",
  options: OPTIONS,
  notes:
    'Redis has no list of a tenant’s entries. This walks the keys of all tenants with SCAN, a thousand at a time, so that\n' +
    'nobody waits for it; a Redis with a million keys is walked in about a second. Nothing is changed.',
};

interface Given {
  readonly tenant: string | undefined;
  readonly pattern: string;
  readonly limit: string;
  readonly 'max-keys': string;
  readonly json: boolean;
}

export async function inspectCommand({ options }: { options: Given }): Promise<number> {
  const inspection = await inspect(options);
  process.stdout.write(options.json ? `${inspectionJson(inspection)}\n` : inspectionText(inspection));
  return 0;
}

async function inspect({ tenant: asked, pattern, limit, 'max-keys': keys }: Given): Promise<Inspection> {
  const dependencies: readonly string[] = patternAsked(pattern).dependencies;
  const summary = new Summary(wholeNumber('limit', limit, 0, MAX_LIMIT));
  const maxKeys = wholeNumber('max-keys', keys, 1, MAX_KEYS);
  const slug = slugAsked(asked);
  const redis = await openOperatorRedis();
  try {
    const { database, ...tenant } = await findTenant(slug);
    const scope = TenantScope.ofOperatorCommand(tenant.id);
    const state = await readTenantState(redis, scope, database);
    const isAsked = (entry: KeptEntry) =>
      pattern === '*' || entry.dependencies.some((one) => dependencies.includes(one));
    let isWhole = false;
    for await (const { entries, isLast } of findEntries(redis, scope, state.versions, maxKeys)) {
      summary.add(entries.filter(isAsked));
      isWhole = isLast;
    }
    return { tenant, state, summary, keysInRedis: await redis.client.dbsize(), isWhole };
  } finally {
    redis.client.disconnect();
  }
}

/** @returns the tenant, and which database it is in */
async function findTenant(slug: string): Promise<TenantEntry & { readonly database: string }> {
  const { client, close } = await openCommandDatabase({ command: INSPECT.name });
  try {
    return await tenantBySlug(client, slug, 'slug, id, cache_database_identity() AS database');
  } finally {
    await close();
  }
}
