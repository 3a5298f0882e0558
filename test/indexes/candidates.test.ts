import { describe, expect, it } from 'vitest';
import { defineIndex, indexColumn, keyText } from '../../src/database/index-definition.ts';
import type { PlanNode } from '../../src/database/plan.ts';
import { type StatementGain, weigh } from '../../src/indexes/advise.ts';
import { candidatesFor, coveringCandidates, serves, worthTrying } from '../../src/indexes/candidates.ts';
import { conjuncts, factsOf } from '../../src/indexes/scan-facts.ts';
import { shapeOf } from '../../src/indexes/shape.ts';

const COSTS = { 'Startup Cost': 0, 'Total Cost': 1, 'Plan Rows': 1 };

describe('the facts of a scan', () => {
  it('are read from its filter and from the sort above it', () => {
    const filter =
      "((tenant_id = $1) AND (status = 'ACTIVE'::account_status) AND (account.currency = ANY ($2)) AND (balance >= $3) AND " +
      "(ROW(created_at, id) > ROW($4, $5)) AND (description <> 'a AND (b'::text) AND (tenant_id = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid))";
    expect(factsOf(sorted(['created_at DESC', 'account.id DESC'], filter))).toEqual([
      {
        table: 'bank_accounts',
        equal: ['tenant_id', 'status', 'currency'],
        bounded: ['balance', 'created_at', 'id'],
        order: [indexColumn('created_at', true), indexColumn('id', true)],
        constant: [
          { condition: "(status = 'ACTIVE'::account_status)", column: 'status' },
          { condition: "(description <> 'a AND (b'::text)", column: 'description' },
        ],
      },
    ]);
  });

  it('have no order when the sort is by an expression', () => {
    expect(factsOf(sorted(["((created_at AT TIME ZONE 'UTC'::text))"], '(tenant_id = $1)'))[0]?.order).toEqual([]);
  });

  it('have no order that only an aggregate sorts by', () => {
    const grouped = { ...COSTS, 'Node Type': 'Aggregate', Plans: [sorted(['category'], '(tenant_id = $1)')] };
    expect(factsOf(grouped)[0]?.order).toEqual([]);
  });

  it('are of every condition that AND joins, however deep the parentheses', () => {
    expect(conjuncts('((a = 1) AND ((b = 2) AND (c = 3)))')).toEqual(['a = 1', 'b = 2', 'c = 3']);
    expect(conjuncts('((a = 1) OR (b = 2))')).toEqual(['(a = 1) OR (b = 2)']);
    expect(conjuncts('')).toEqual([]);
  });
});

describe('the candidates', () => {
  it('begin with the tenant, then what is equal, then the order; and of a part of the rows for a constant', () => {
    const facts = factsOf(
      sorted(['booked_at DESC', 'id DESC'], "((tenant_id = $1) AND (counterparty_bank = 'x'::text))", 'transactions'),
    );
    const found = facts.flatMap(candidatesFor).map(({ index }) => `${index.name} ${keyText(index)}`);
    expect(found).toEqual([
      'transactions_tenant_counterparty_bank_booked_idx (tenant_id, counterparty_bank, booked_at, id)',
      "transactions_tenant_booked_x_idx (tenant_id, booked_at, id) WHERE (counterparty_bank = 'x'::text)",
    ]);
  });

  it('bear the name of the catalogue where it has the index', () => {
    const facts = factsOf(sorted(['booked_at', 'id'], '((tenant_id = $1) AND (account_id = $2))', 'transactions'));
    expect(facts.flatMap(candidatesFor)[0]?.index.name).toBe('transactions_tenant_account_booked_idx');
  });

  it('are none for a query without its tenant, and none that is left out on purpose', () => {
    expect(factsOf(sorted([], '(status = $1)')).flatMap(candidatesFor)).toEqual([]);
    const declined = factsOf(sorted([], '((tenant_id = $1) AND (direction = $2))', 'transactions')).flatMap(
      candidatesFor,
    );
    expect(worthTrying(declined, [])).toEqual([]);
  });

  it('are not tried when an index serves as well, or a longer candidate', () => {
    const define = (columns: string) => defineIndex('transactions', 'x', columns);
    const short = { index: define('tenant_id, a'), equalColumns: 2 };
    const long = { index: define('tenant_id, a, b, id'), equalColumns: 2 };
    expect(worthTrying([short, long], [])).toEqual([long.index]);
    expect(worthTrying([long], [define('a, tenant_id, b DESC, id DESC')])).toEqual([]);
    expect(serves(define('tenant_id, a, b DESC, id'), long)).toBe(false);
  });
});

describe('candidates that carry columns', () => {
  const plain = candidatesFor({
    ...{ table: 'transactions', equal: ['tenant_id', 'category'], bounded: ['booked_at'], order: [], constant: [] },
  });
  const covering = coveringCandidates(plain, ['tenant_id', 'category', 'booked_at', 'amount']);

  it('are those that carry what else is read, none when that is much or nothing', () => {
    expect(covering.map(({ index }) => `${index.name} ${keyText(index)}`)).toEqual([
      'transactions_tenant_category_booked_with_amount_idx (tenant_id, category, booked_at) INCLUDE (amount)',
    ]);
    expect(coveringCandidates(plain, ['tenant_id', 'booked_at'])).toEqual([]);
    expect(coveringCandidates(plain, ['id', 'amount', 'currency', 'direction'])).toEqual([]);
  });

  it('are tried beside those that carry nothing, and also when an index has the same key and carries nothing', () => {
    expect(worthTrying([...plain, ...covering], [])).toHaveLength(2);
    const key = defineIndex('transactions', 'x', 'tenant_id, category, booked_at, id');
    expect(worthTrying([...plain, ...covering], [key])).toEqual(covering.map(({ index }) => index));
    const whole = defineIndex('transactions', 'x', 'tenant_id, category, booked_at, amount');
    expect(worthTrying([...plain, ...covering], [whole])).toEqual([]);
  });

  it('cost the writers more', () => {
    const gains = [
      { name: 'x', sql: 'x', callsPerDay: 1e6, meanMs: 1, tenants: [{ slug: 'a', costBefore: 2, costAfter: 1 }] },
    ];
    const tried = [...plain, ...covering].map(({ index }) => ({ index, gains }));
    const costs = weigh(tried, new Map([['transactions', 1_000]])).map(({ writeMsPerDay }) => writeMsPerDay);
    expect(costs).toEqual([4, expect.closeTo(4.4)]);
  });
});

describe('the shape of a statement', () => {
  it('is that of its entry in pg_stat_statements', () => {
    expect(shapeOf("SELECT true FROM t\n WHERE a = 'it''s' AND b1 = $1 LIMIT 21")).toBe(
      shapeOf('SELECT $2 FROM t WHERE a = $3 AND b1 = $1 LIMIT $4'),
    );
    expect(shapeOf('SELECT b1')).not.toBe(shapeOf('SELECT b2'));
  });
});

describe('an index that was tried', () => {
  const index = defineIndex('transactions', 'x', 'tenant_id, a');
  const gain = (change: Partial<StatementGain> = {}): StatementGain => ({
    name: 'list',
    sql: 'SELECT',
    callsPerDay: 100_000,
    meanMs: 1,
    tenants: [{ slug: 'large', costBefore: 100, costAfter: 10 }],
    ...change,
  });

  it('is advised when it saves more than it costs the writers', () => {
    const [advice] = weigh([{ index, gains: [gain()] }], new Map([['transactions', 1_000_000]]));
    expect(advice).toMatchObject({ gainMsPerDay: 90_000, writeMsPerDay: 4_000 });
    expect(weigh([{ index, gains: [gain()] }], new Map([['transactions', 20_000_000]]))).toEqual([]);
  });

  it('is not advised for plans that get little cheaper, or for statements that are rare', () => {
    const little = gain({ tenants: [{ slug: 'large', costBefore: 100, costAfter: 80 }] });
    expect(weigh([{ index, gains: [little] }], new Map())).toEqual([]);
    expect(weigh([{ index, gains: [gain({ callsPerDay: 1_000 })] }], new Map())).toEqual([]);
  });
});

function sorted(keys: readonly string[], filter: string, table = 'bank_accounts'): PlanNode {
  const scan = { ...COSTS, 'Node Type': 'Seq Scan', 'Relation Name': table, Filter: filter };
  return { ...COSTS, 'Node Type': 'Sort', ...(keys.length && { 'Sort Key': keys }), Plans: [scan] };
}
