import { AccountStatus, AccountType, TransactionDirection } from '../generated/prisma/enums.ts';
import { LIMITS } from '../limits.ts';
import type { ImportTable } from './import-files.ts';
import { decimal, instant, matching, oneOf, positiveDecimal, text, timeZone, type ValueType } from './values.ts';

/** A column of a file: its name in the header, and what its fields hold. */
export interface Column extends ValueType {
  readonly name: string;
  /** Whether a field may be empty: no value. */
  readonly optional: boolean;
  /** Its type in PostgreSQL. */
  readonly sqlType: string;
}

export type Columns = Readonly<Record<ImportTable, readonly Column[]>>;

const { tenants: OF_TENANT, bank_accounts: OF_ACCOUNT, transactions: OF_TRANSACTION } = LIMITS;

const SLUG = matching(OF_TENANT.slug, `${OF_TENANT.slug.maxLength} or fewer of a-z, 0-9 and -`);
const CURRENCY = matching(OF_ACCOUNT.currency, 'three capitals (ISO 4217)');

/**
 * The columns of the import format, in the order in which they are staged.
 * @param timeZones those that the database knows
 */
export function importColumns(timeZones: ReadonlySet<string>): Columns {
  const account = [
    required('tenant_slug', 'text', SLUG),
    required('bank_name', 'text', text(OF_ACCOUNT.bank_name)),
    required('account_number', 'text', text(OF_ACCOUNT.account_number)),
  ];
  return {
    tenants: [
      required('slug', 'text', SLUG),
      required('name', 'text', text(OF_TENANT.name)),
      required('time_zone', 'text', timeZone(timeZones)),
    ],
    accounts: [
      ...account,
      required('account_type', 'account_type', oneOf(Object.values(AccountType))),
      required('status', 'account_status', oneOf(Object.values(AccountStatus))),
      required('currency', 'text', CURRENCY),
      required('balance', 'numeric(19,4)', decimal),
      required('created_at', 'timestamptz(3)', instant),
    ],
    transactions: [
      ...account,
      required('external_id', 'text', text(OF_TRANSACTION.external_id)),
      required('booked_at', 'timestamptz(3)', instant),
      required('direction', 'transaction_direction', oneOf(Object.values(TransactionDirection))),
      required('amount', 'numeric(19,4)', positiveDecimal),
      optional('balance_after', 'numeric(19,4)', decimal),
      optional('category', 'text', text(OF_TRANSACTION.category)),
      optional('counterparty_bank', 'text', text(OF_TRANSACTION.counterparty_bank)),
      optional('description', 'text', text(OF_TRANSACTION.description)),
    ],
  };
}

function required(name: string, sqlType: string, type: ValueType): Column {
  return { name, sqlType, optional: false, ...type };
}

function optional(name: string, sqlType: string, type: ValueType): Column {
  return { name, sqlType, optional: true, ...type };
}
