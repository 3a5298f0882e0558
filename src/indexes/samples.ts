import { asTenant } from '../database/explain.ts';
import { type Queryable, tablesHeldToPolicies } from '../database/read-indexes.ts';
import type { Position } from '../paging/keyset.ts';

/** Values of one tenant's own rows, to try the product's queries with. */
export interface TenantSample {
  readonly tenantId: string;
  readonly slug: string;
  /** How many accounts the tenant has, as far as they were counted. */
  readonly accounts: number;
  readonly accountIds: readonly string[];
  readonly accountNumber: string;
  readonly bankName: string;
  readonly currency: string;
  /** In the middle of each order of accounts, by `AccountOrderField`. */
  readonly positions: Readonly<Record<string, Position>>;
  readonly transactionIds: readonly string[];
  readonly category: string | null;
  /** In the middle of the tenant's transactions. */
  readonly booked: Position;
  /** The same in their order by amount. */
  readonly amount: Position;
  /** A day with transactions. */
  readonly day: string;
}

/** As many as a page has by default. */
const SAMPLE_ROWS = 20;

/**
 * A small and the largest tenant by accounts. The small one has at least a page of them where any
 * has.
 * @returns the smaller first; one alone when there is no other; none when no tenant has accounts
 */
export async function sampleTenants(client: Queryable): Promise<TenantSample[]> {
  const samples: TenantSample[] = [];
  for (const { id } of smallAndLargest(await tenantSizes(client)))
    samples.push(await asTenant(client, id, () => sampleTenant(client, id)));
  return samples;
}

interface TenantSize {
  readonly id: string;
  readonly accounts: number;
}

function smallAndLargest(sizes: readonly TenantSize[]): TenantSize[] {
  const sorted = sizes.filter(({ accounts }) => accounts > 0).sort((a, b) => a.accounts - b.accounts || order(a, b));
  const most = sorted.at(-1)?.accounts;
  const largest = sorted.find(({ accounts }) => accounts === most);
  if (!largest) return [];
  const small = sorted.find(({ accounts }) => accounts >= SAMPLE_ROWS) ?? largest;
  return small === largest ? [largest] : [small, largest];
}

function order(a: TenantSize, b: TenantSize): number {
  return a.id < b.id ? -1 : 1;
}

/** Counted from the totals kept ready, so that it costs nothing on a large database. */
async function tenantSizes(client: Queryable): Promise<TenantSize[]> {
  if (!(await tablesHeldToPolicies(client, ['account_totals'])).length) {
    const { rows } = await client.query<TenantSize>(
      'SELECT tenant_id AS id, sum(account_count)::float8 AS accounts FROM account_totals GROUP BY tenant_id',
    );
    return rows;
  }
  await client.query("BEGIN; SET LOCAL app.directory = 'on'");
  try {
    const sizes: TenantSize[] = [];
    const { rows: tenants } = await client.query<{ id: string }>('SELECT id FROM tenants');
    for (const { id } of tenants) {
      await client.query("SELECT set_config('app.tenant_id', $1, true)", [id]);
      const { rows } = await client.query<TenantSize>(
        'SELECT $1::text AS id, coalesce(sum(account_count), 0)::float8 AS accounts FROM account_totals WHERE tenant_id = $1::uuid',
        [id],
      );
      sizes.push(...rows);
    }
    return sizes;
  } finally {
    await client.query('ROLLBACK');
  }
}

async function sampleTenant(client: Queryable, tenantId: string): Promise<TenantSample> {
  const { rows } = await client.query<TenantSample>(SAMPLE, [tenantId, SAMPLE_ROWS]);
  const [sample] = rows;
  if (!sample) throw new Error(`tenant ${tenantId} was deleted while it was looked at`);
  return sample;
}

const MIDDLE = `OFFSET (SELECT n / 2 FROM size) LIMIT 1`;

function middleOf(column: string): string {
  return `(SELECT json_build_object('value', ${column}::text, 'id', id) FROM accounts ORDER BY ${column}, id ${MIDDLE})`;
}

const SAMPLE = `
  WITH accounts AS MATERIALIZED (SELECT * FROM bank_accounts WHERE tenant_id = $1 ORDER BY tenant_id, id LIMIT 100000),
    size AS MATERIALIZED (SELECT count(*) AS n FROM accounts),
    some_transactions AS MATERIALIZED (SELECT * FROM transactions WHERE tenant_id = $1 ORDER BY tenant_id, id LIMIT 10000),
    one AS (SELECT * FROM accounts ORDER BY id ${MIDDLE})
  SELECT tenants.id AS "tenantId", slug, (SELECT n FROM size)::integer AS accounts,
    (SELECT array_agg(id) FROM (SELECT id FROM accounts ORDER BY id LIMIT $2) page)::text[] AS "accountIds",
    one.account_number AS "accountNumber", one.bank_name AS "bankName", one.currency,
    json_build_object('CREATED_AT', ${middleOf('created_at')}, 'UPDATED_AT', ${middleOf('updated_at')},
      'BALANCE', ${middleOf('balance')}, 'ACCOUNT_NUMBER', ${middleOf('account_number')},
      'BANK_NAME', ${middleOf('bank_name')}) AS positions,
    (SELECT coalesce(array_agg(id), '{}') FROM (SELECT id FROM some_transactions ORDER BY id LIMIT $2) page)::text[] AS "transactionIds",
    (SELECT category FROM some_transactions WHERE category IS NOT NULL ORDER BY id LIMIT 1) AS category,
    coalesce((SELECT json_build_object('value', booked_at::text, 'id', id) FROM some_transactions
        ORDER BY booked_at, id OFFSET (SELECT count(*) / 2 FROM some_transactions) LIMIT 1),
      json_build_object('value', now()::text, 'id', one.id)) AS booked,
    coalesce((SELECT json_build_object('value', amount::text, 'id', id) FROM some_transactions
        ORDER BY amount, id OFFSET (SELECT count(*) / 2 FROM some_transactions) LIMIT 1),
      json_build_object('value', '1', 'id', one.id)) AS amount,
    coalesce((SELECT max(day) FROM daily_totals WHERE tenant_id = $1), current_date)::text AS day
  FROM tenants CROSS JOIN one WHERE tenants.id = $1`;
