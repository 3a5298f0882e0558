import { StatisticsPeriod } from '../../calendar.ts';

/**
 * What answers depend on and what is invalidated: each tenant has a version of its own for every
 * one. The outbox keeps what changed as a set of their bits, which stand in rows that another
 * version of the service may read: a new one gets the next bit, and none is used again.
 */
const BITS = {
  accounts: 1,
  transactions: 2,
  dashboard: 4,
  statistics: 8,
  tenant: 16,
  'accounts:list': 32,
  'statistics:daily': 64,
  'statistics:weekly': 128,
  'statistics:monthly': 256,
  'statistics:quarterly': 512,
  'statistics:yearly': 1024,
} as const satisfies Readonly<Record<Namespace | NamespacePart, number>>;

/** Kinds of data that are invalidated as one. */
export const NAMESPACES = ['accounts', 'transactions', 'dashboard', 'statistics', 'tenant'] as const;
export type Namespace = (typeof NAMESPACES)[number];

/**
 * Parts of a namespace that can be invalidated alone: an answer of the part depends on the whole as
 * well.
 */
export type NamespacePart = 'accounts:list' | `statistics:${Lowercase<StatisticsPeriod>}`;

export type CacheDependency = keyof typeof BITS;

/** Every dependency, in the order of its bit: the first is bit 0. */
export const DEPENDENCIES_BY_BIT = Object.keys(BITS) as readonly CacheDependency[];

export const PARTS = DEPENDENCIES_BY_BIT.filter((name): name is NamespacePart => name.includes(':'));

/** The part of the statistics that a period's answers belong to. */
export function statisticsPart(period: StatisticsPeriod): NamespacePart {
  return `statistics:${period.toLowerCase() as Lowercase<StatisticsPeriod>}`;
}

export function maskOf(dependencies: readonly CacheDependency[]): number {
  return dependencies.reduce((mask, name) => mask | BITS[name], 0);
}

/** Bits that this version does not know, from a newer one's row, are left out. */
export function dependenciesIn(mask: number): CacheDependency[] {
  return DEPENDENCIES_BY_BIT.filter((name) => mask & BITS[name]);
}

/**
 * The tables of a tenant whose changes the outbox is told of. The service's right to read them,
 * their triggers and their policies follow from here (src/database).
 */
export const FOLLOWED_TABLES = {
  tenants: { model: 'Tenant', changes: NAMESPACES, readersDependOn: 'tenant' },
  bank_accounts: { model: 'BankAccount', changes: ['accounts', 'dashboard'], readersDependOn: 'accounts' },
  transactions: {
    model: 'Transaction',
    changes: ['transactions', 'dashboard', 'statistics'],
    readersDependOn: 'transactions',
  },
  /** Sums of transactions that were removed: part of `daily_totals`, and not of lists. */
  folded_totals: {
    model: 'FoldedTotal',
    changes: ['transactions', 'dashboard', 'statistics'],
    readersDependOn: 'transactions',
  },
  /** Made anew by `statistics_rebuild`. */
  account_totals: {
    model: 'AccountTotal',
    changes: ['dashboard'],
    readersDependOn: 'dashboard',
    isKeptFrom: 'bank_accounts',
  },
  /** Made anew by `statistics_rebuild`. */
  daily_totals: {
    model: 'DailyTotal',
    changes: ['dashboard', 'statistics'],
    readersDependOn: 'statistics',
    isKeptFrom: 'transactions',
  },
} as const satisfies Readonly<Record<string, Following>>;

interface Following {
  /** Its model in prisma/schema.prisma. */
  readonly model: string;
  /** What is invalidated by every change of its rows, whoever makes it. */
  readonly changes: readonly Namespace[];
  /** One of these: what an answer that read the table depends on, unless it does on another one. */
  readonly readersDependOn: Namespace;
  /** Whose triggers write it, and tell the outbox for it. Absent: it has triggers of its own. */
  readonly isKeptFrom?: string;
  /** Of a table that `follow_table` made followed: the rows that its rows belong to. */
  readonly parent?: ParentKey;
}

/** A foreign key: `(tenant_id, key)`, or `tenant_id` alone to the tenants. */
export interface ParentKey {
  readonly table: string;
  readonly key?: string;
}

export type FollowedTable = keyof typeof FOLLOWED_TABLES;

/** Those with triggers of their own. */
export const TOLD_TABLES = Object.entries<Following>(FOLLOWED_TABLES)
  .filter(([, { isKeptFrom }]) => isKeptFrom === undefined)
  .map(([table, following]) => ({ table, ...following }));

/** What a write into these tables invalidates. */
export function changedWith(...tables: readonly FollowedTable[]): readonly Namespace[] {
  return NAMESPACES.filter((name) => tables.some((table) => (changesOf(table) as readonly string[]).includes(name)));
}

/**
 * What an answer depends on, by what was read for it.
 * @param tables that were read
 * @param stated what else it depends on, such as its kind: enough for a table each of whose changes
 *   invalidates it
 * @returns undefined when a table was read of whose changes nobody is told: such an answer is not
 *   kept
 */
export function derivedDependencies(
  tables: readonly FollowedTable[],
  stated: ReadonlySet<CacheDependency>,
): ReadonlySet<CacheDependency>;
export function derivedDependencies(
  tables: Iterable<string>,
  stated: ReadonlySet<CacheDependency>,
): ReadonlySet<CacheDependency> | undefined;
export function derivedDependencies(
  tables: Iterable<string>,
  stated: ReadonlySet<CacheDependency>,
): ReadonlySet<CacheDependency> | undefined {
  const all = new Set(stated);
  for (const table of tables) {
    if (!isFollowed(table)) return undefined;
    if (!changesOf(table).some((name) => stated.has(name))) all.add(FOLLOWED_TABLES[table].readersDependOn);
  }
  return all;
}

export function isFollowed(table: string): table is FollowedTable {
  return Object.hasOwn(FOLLOWED_TABLES, table);
}

function changesOf(table: FollowedTable): readonly Namespace[] {
  return FOLLOWED_TABLES[table].changes;
}
