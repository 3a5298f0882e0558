import { Prisma } from '../generated/prisma/client.ts';
import { checkedDecimal, checkedId, checkedInstant, checkedSearchText } from '../graphql/input-checks.ts';
import type { TransactionFilter } from './transaction.input.ts';

const { sql } = Prisma;

/**
 * The conditions of a filter, joined by AND; the tenant's own condition is not among them.
 * @throws BAD_USER_INPUT naming the field that does not hold
 */
export function transactionConditions(filter: TransactionFilter | null | undefined): Prisma.Sql[] {
  const conditions: Prisma.Sql[] = [];
  const add = <Value>(value: Value | null | undefined, condition: (value: Value) => Prisma.Sql) => {
    if (value != null) conditions.push(condition(value));
  };
  add(filter?.accountId, (id) => sql`account_id = ${checkedId('filter.accountId', id)}::uuid`);
  add(filter?.direction, (direction) => sql`direction = ${direction}::transaction_direction`);
  add(filter?.category, (category) => sql`category = ${checkedSearchText('filter.category', category)}`);
  add(filter?.minAmount, (min) => sql`amount >= ${checkedDecimal('filter.minAmount', min)}::numeric`);
  add(filter?.maxAmount, (max) => sql`amount <= ${checkedDecimal('filter.maxAmount', max)}::numeric`);
  add(filter?.bookedFrom, (from) => sql`booked_at >= ${checkedInstant('filter.bookedFrom', from)}::timestamptz`);
  add(filter?.bookedTo, (to) => sql`booked_at <= ${checkedInstant('filter.bookedTo', to)}::timestamptz`);
  return conditions;
}
