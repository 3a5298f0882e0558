import { instantText } from '../database/sql-text.ts';
import { Prisma } from '../generated/prisma/client.ts';
import type { OrderDirection } from '../graphql/enums.ts';
import type { KeysetOrder } from '../paging/keyset.ts';
import type { TransactionOrder, TransactionOrderField } from './transaction.input.ts';

const { sql } = Prisma;

/** Newest first; equal instants by id, the younger first. */
export const NEWEST_FIRST: KeysetOrder = {
  name: 'BOOKED_AT',
  column: sql`booked_at`,
  text: instantText(sql`booked_at`),
  type: sql`timestamptz`,
  descending: true,
};

/** With its table: ORDER BY would take a bare name for the selected text of the same name. */
const AMOUNT = { name: 'AMOUNT', text: sql`amount::text`, type: sql`numeric` };
const OF_TENANT = sql`transactions.amount`;
/**
 * No index has it, on purpose: with the tenant's amounts in order, PostgreSQL would pass over those
 * of all other accounts until it has a page of this one.
 */
const OF_ACCOUNT = sql`(transactions.amount + 0)`;

/**
 * The keyset order behind a `TransactionOrder`; newest first when none is given.
 * @param ofAccount whether only transactions of one account are listed
 */
export function transactionOrder(orderBy: TransactionOrder | null | undefined, ofAccount: boolean): KeysetOrder {
  if (!orderBy) return NEWEST_FIRST;
  const field: `${TransactionOrderField}` = orderBy.field;
  const direction: `${OrderDirection}` = orderBy.direction;
  const descending = direction === 'DESC';
  if (field === 'BOOKED_AT') return { ...NEWEST_FIRST, descending };
  return { ...AMOUNT, column: ofAccount ? OF_ACCOUNT : OF_TENANT, descending };
}
