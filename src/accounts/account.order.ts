import { instantText } from '../database/sql-text.ts';
import { Prisma } from '../generated/prisma/client.ts';
import type { KeysetOrder } from '../paging/keyset.ts';
import { AccountOrderField } from './account.input.ts';

const { sql } = Prisma;

const COLUMNS: Record<AccountOrderField, Pick<KeysetOrder, 'column' | 'text' | 'type'>> = {
  CREATED_AT: { column: sql`created_at`, text: instantText(sql`created_at`), type: sql`timestamptz` },
  UPDATED_AT: { column: sql`updated_at`, text: instantText(sql`updated_at`), type: sql`timestamptz` },
  // With its table: ORDER BY would take a bare name for the selected text of the same name.
  BALANCE: { column: sql`bank_accounts.balance`, text: sql`balance::text`, type: sql`numeric` },
  ACCOUNT_NUMBER: { column: sql`account_number`, text: sql`account_number`, type: sql`text` },
  BANK_NAME: { column: sql`bank_name`, text: sql`bank_name`, type: sql`text` },
};

/**
 * The keyset order behind an `AccountOrder`; oldest first when none is given. Each has an index of
 * its own.
 */
export function accountOrder(field: AccountOrderField = AccountOrderField.CREATED_AT, descending = false): KeysetOrder {
  return { name: field, descending, ...COLUMNS[field] };
}
