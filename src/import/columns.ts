import { AccountStatus, AccountType, TransactionDirection } from '../generated/prisma/enums.ts';
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

/**
 * Lengths in characters. The format sets none; those of indexed columns keep an index row, in UTF-8, below the 2,704
 * bytes that PostgreSQL allows.
 */
const NAME_LENGTH = 200;
const NUMBER_LENGTH = 100;
const DESCRIPTION_LENGTH = 10_000;

const SLUG = matching(/^[a-z0-9-]+$/, `${NUMBER_LENGTH} or fewer of a-z, 0-9 and -`, NUMBER_LENGTH);
const CURRENCY = matching(/^[A-Z]{3}$/, 'three capitals (ISO 4217)', 3);

/**
 * The columns of the import format, in the order in which they are staged.
 * @param timeZones those that the database knows
 */
export function importColumns(timeZones: ReadonlySet<string>): Columns {
  const account = [
    required('tenant_slug', 'text', SLUG),
    required('bank_name', 'text', text(NAME_LENGTH)),
    required('account_number', 'text', text(NUMBER_LENGTH)),
  ];
  return {
    tenants: [
      required('slug', 'text', SLUG),
      required('name', 'text', text(NAME_LENGTH)),
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
      required('external_id', 'text', text(NAME_LENGTH)),
      required('booked_at', 'timestamptz(3)', instant),
      required('direction', 'transaction_direction', oneOf(Object.values(TransactionDirection))),
      required('amount', 'numeric(19,4)', positiveDecimal),
      optional('balance_after', 'numeric(19,4)', decimal),
      optional('category', 'text', text(NAME_LENGTH)),
      optional('counterparty_bank', 'text', text(NAME_LENGTH)),
      optional('description', 'text', text(DESCRIPTION_LENGTH)),
    ],
  };
}

function required(name: string, sqlType: string, type: ValueType): Column {
  return { name, sqlType, optional: false, ...type };
}

function optional(name: string, sqlType: string, type: ValueType): Column {
  return { name, sqlType, optional: true, ...type };
}
