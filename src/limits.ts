/**
 * What values the columns take, whoever writes them. Argument checks, the import and the seed use
 * this table; the CHECK constraints of the database say the same, which a test holds together with
 * it (test/limits). A change here needs a migration.
 */

/**
 * Lengths in characters: Unicode code points, as PostgreSQL's char_length counts. No text is empty.
 */
export interface TextLimit {
  readonly kind: 'text';
  readonly maxLength: number;
  /** For JavaScript and PostgreSQL alike. */
  readonly pattern?: string;
}

/** IANA names that mean what they say, and that PostgreSQL knows. */
export interface TimeZoneLimit {
  readonly kind: 'timeZone';
  readonly pattern: string;
}

/** Money: numeric(19,4), finite. A positive one is above zero. */
export interface MoneyLimit {
  readonly kind: 'money' | 'positiveMoney';
}

/** A sum of money that is kept: any number, but not NaN. */
export interface SumLimit {
  readonly kind: 'sum';
}

/** From `FIRST_INSTANT` up to `END_OF_INSTANTS`. */
export interface InstantLimit {
  readonly kind: 'instant';
}

/** A whole number from 1. */
export interface CountLimit {
  readonly kind: 'count';
}

export type Limit = TextLimit | TimeZoneLimit | MoneyLimit | SumLimit | InstantLimit | CountLimit;

/** Digits of money before and after the point. */
export const WHOLE_DIGITS = 15;
export const FRACTION_DIGITS = 4;
export const MAX_MONEY = `${'9'.repeat(WHOLE_DIGITS)}.${'9'.repeat(FRACTION_DIGITS)}`;

/**
 * PostgreSQL's integer and GraphQL's Int: versions end here, and counts that are shown stay here.
 */
export const MAX_INTEGER = 2 ** 31 - 1;

/** The days that can be named: those of the years 0001 to 9999. */
export const FIRST_DAY = '0001-01-01';
export const LAST_DAY = '9999-12-31';

/**
 * Instants are a day away from either end, so that their day is one of these in every time zone:
 * the farthest are 15 h 57 min west and 15 h 14 min east of Greenwich, by the sun before there were
 * zones.
 */
export const FIRST_INSTANT = '0001-01-02T00:00:00.000Z';
/** Not included. */
export const END_OF_INSTANTS = '9999-12-31T00:00:00.000Z';

/** The form alone: which codes there are changes. */
const CURRENCY = { kind: 'text', maxLength: 3, pattern: '^[A-Z]{3}$' } as const;
/**
 * UTC, or area and location. Not the abbreviations (IST is India's, Israel's and Ireland's), nor
 * offsets: POSIX counts them from west to east, so that UTC+3 and Etc/GMT+3 are three hours behind.
 */
const TIME_ZONE = { kind: 'timeZone', pattern: '^(UTC|[A-Z][A-Za-z]*(/[A-Z][A-Za-z]*([_-][A-Za-z]+)*)+)$' } as const;

const money = { kind: 'money' } as const;
const positiveMoney = { kind: 'positiveMoney' } as const;
const sum = { kind: 'sum' } as const;
const instant = { kind: 'instant' } as const;

/**
 * By table and column. Those of indexed columns keep an index row, in UTF-8, below the 2,704 bytes
 * that PostgreSQL allows.
 */
export const LIMITS = {
  tenants: {
    slug: text(100, '^[a-z0-9-]+$'),
    name: text(200),
    time_zone: TIME_ZONE,
    created_at: instant,
    folded_until: instant,
  },
  bank_accounts: {
    bank_name: text(200),
    account_number: text(100),
    currency: CURRENCY,
    balance: money,
    version: { kind: 'count' },
    created_at: instant,
    updated_at: instant,
  },
  transactions: {
    external_id: text(200),
    booked_at: instant,
    amount: positiveMoney,
    currency: CURRENCY,
    balance_after: money,
    category: text(200),
    counterparty_bank: text(200),
    description: text(10_000),
  },
  idempotency_keys: { key: text(200) },
  daily_totals: { inflow: sum, outflow: sum },
  folded_totals: { inflow: sum, outflow: sum },
  account_totals: { balance: sum },
} as const satisfies Record<string, Record<string, Limit>>;

/** A count as it is shown. */
export function shownCount(count: number): number {
  return Math.min(count, MAX_INTEGER);
}

/** Whether the text has more characters; UTF-16 has at least as many units. */
export function isLonger(value: string, maxLength: number): boolean {
  return value.length > maxLength && [...value].length > maxLength;
}

/** Whether an instant in UTC, as `toISOString` writes it, is within the limits. */
export function isInstantWithin(utc: string): boolean {
  // Years before 0000 and after 9999 have a sign ahead.
  return /^\d/.test(utc) && utc >= FIRST_INSTANT && utc < END_OF_INSTANTS;
}

/**
 * Whether it is a name of the right form that this process knows as well. Whether PostgreSQL does,
 * it alone can say.
 */
export function isTimeZone(name: string): boolean {
  if (!new RegExp(TIME_ZONE.pattern).test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false; // RangeError: unknown
  }
}

function text(maxLength: number, pattern?: string): TextLimit {
  return { kind: 'text', maxLength, ...(pattern && { pattern }) };
}
