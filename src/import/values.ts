import {
  END_OF_INSTANTS,
  FIRST_INSTANT,
  FRACTION_DIGITS,
  isInstantWithin,
  isLonger,
  isTimeZone,
  type TextLimit,
  WHOLE_DIGITS,
} from '../limits.ts';

/** Checks a field's text. Gives what PostgreSQL is to be sent, null when it does not hold. */
export type ReadValue = (text: string) => string | null;

/** What a value must be, in words that end "… must be", and how it is checked. */
export interface ValueType {
  readonly expected: string;
  readonly read: ReadValue;
}

const DECIMAL = new RegExp(`^-?\\d{1,${WHOLE_DIGITS}}(?:\\.\\d{1,${FRACTION_DIGITS}})?$`);
const INSTANT =
  /^(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(?:[Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
/**
 * The form PostgreSQL reads as it stands: milliseconds at most, an offset within its own bounds,
 * and no year in which some instants are beyond the limits.
 */
const PLAIN_INSTANT = /^(?!0000|0001|9999)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-](?:0\d|1[0-4]):\d\d)$/;
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Text that its column takes. Empty fields are no text. */
export function text({ maxLength }: TextLimit): ValueType {
  return {
    expected: `text of at most ${maxLength} characters without NUL`,
    read: (value) => (value.includes('\0') || isLonger(value, maxLength) ? null : value),
  };
}

/** One of the names, exactly. */
export function oneOf(names: readonly string[]): ValueType {
  const known = new Set(names);
  return { expected: `one of ${names.join(', ')}`, read: (value) => (known.has(value) ? value : null) };
}

/** Text that its column's pattern describes. */
export function matching({ maxLength, pattern = '' }: TextLimit, expected: string): ValueType {
  const form = new RegExp(pattern);
  return { expected, read: (value) => (isLonger(value, maxLength) || !form.test(value) ? null : value) };
}

/** The name of a time zone. @param known those of the database */
export function timeZone(known: ReadonlySet<string>): ValueType {
  return {
    expected: 'UTC or an IANA time zone that PostgreSQL knows, by area and location, such as Europe/Prague',
    read: (value) => (known.has(value) && isTimeZone(value) ? value : null),
  };
}

export const decimal: ValueType = {
  expected: `a decimal with at most ${WHOLE_DIGITS} digits before the point and ${FRACTION_DIGITS} after it`,
  read: (value) => (DECIMAL.test(value) ? value : null),
};

export const positiveDecimal: ValueType = {
  expected: `${decimal.expected}, greater than 0`,
  read: (value) => (DECIMAL.test(value) && !value.startsWith('-') && /[1-9]/.test(value) ? value : null),
};

/**
 * RFC 3339. Digits beyond milliseconds, which is what the database keeps, are cut: rounding could
 * change the day.
 */
export const instant: ValueType = {
  expected:
    'an instant with its offset, such as 2024-03-31T09:30:00+02:00 (a day that exists, no leap second), ' +
    `from ${FIRST_INSTANT} on and before ${END_OF_INSTANTS}`,
  read: (value) => {
    const [whole, year, month, day] = INSTANT.exec(value) ?? [];
    if (!whole || !isDay(Number(year), Number(month), Number(day))) return null;
    return PLAIN_INSTANT.test(whole) ? whole : inUtc(whole);
  },
};

function isDay(year: number, month: number, day: number): boolean {
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && isLeapYear ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);
  return day >= 1 && day <= days;
}

/** Null beyond the limits. */
function inUtc(value: string): string | null {
  const utc = new Date(value.toUpperCase()).toISOString();
  return isInstantWithin(utc) ? utc : null;
}
