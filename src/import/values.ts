/** Checks a field's text. Gives what PostgreSQL is to be sent, null when it does not hold. */
export type ReadValue = (text: string) => string | null;

/** What a value must be, in words that end "… must be", and how it is checked. */
export interface ValueType {
  readonly expected: string;
  readonly read: ReadValue;
}

/** numeric(19,4): 15 digits before the point, 4 after. */
const DECIMAL = /^-?\d{1,15}(?:\.\d{1,4})?$/;
const INSTANT =
  /^(\d{4})-(\d\d)-(\d\d)[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(?:[Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
/** The form PostgreSQL reads as it stands: milliseconds at most, and an offset within its own bounds. */
const PLAIN_INSTANT = /^(?!0001|9999)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-](?:0\d|1[0-4]):\d\d)$/;
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Text of 1 to `maxCharacters`. */
export function text(maxCharacters: number): ValueType {
  return {
    expected: `text of at most ${maxCharacters} characters without NUL`,
    read: (value) => (value.includes('\0') || isLonger(value, maxCharacters) ? null : value),
  };
}

/** One of the names, exactly. */
export function oneOf(names: readonly string[]): ValueType {
  const known = new Set(names);
  return { expected: `one of ${names.join(', ')}`, read: (value) => (known.has(value) ? value : null) };
}

/** Text of at most `maxCharacters` that the pattern describes. */
export function matching(pattern: RegExp, expected: string, maxCharacters: number): ValueType {
  return { expected, read: (value) => (value.length <= maxCharacters && pattern.test(value) ? value : null) };
}

/** The name of a time zone that the database knows. */
export function timeZone(known: ReadonlySet<string>): ValueType {
  return {
    expected: 'an IANA time zone that PostgreSQL knows, such as Europe/Prague',
    read: (value) => (known.has(value) ? value : null),
  };
}

export const decimal: ValueType = {
  expected: 'a decimal with at most 15 digits before the point and 4 after it',
  read: (value) => (DECIMAL.test(value) ? value : null),
};

export const positiveDecimal: ValueType = {
  expected: `${decimal.expected}, greater than 0`,
  read: (value) => (DECIMAL.test(value) && !value.startsWith('-') && /[1-9]/.test(value) ? value : null),
};

/** RFC 3339. Digits beyond milliseconds, which is what the database keeps, are cut: rounding could change the day. */
export const instant: ValueType = {
  expected: 'an instant with its offset, such as 2024-03-31T09:30:00+02:00 (a day that exists, no leap second)',
  read: (value) => {
    const [whole, year, month, day] = INSTANT.exec(value) ?? [];
    if (!whole || !isDay(Number(year), Number(month), Number(day))) return null;
    return PLAIN_INSTANT.test(whole) ? whole : inUtc(whole);
  },
};

/** In code points, as PostgreSQL counts; UTF-16 has at least as many units. */
function isLonger(value: string, maxCharacters: number): boolean {
  return value.length > maxCharacters && [...value].length > maxCharacters;
}

function isDay(year: number, month: number, day: number): boolean {
  const isLeapYear = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && isLeapYear ? 29 : (DAYS_IN_MONTH[month - 1] ?? 0);
  return year >= 1 && day >= 1 && day <= days;
}

/** Null outside the years 1 to 9999, where dates are no longer written with four digits. */
function inUtc(value: string): string | null {
  const text = new Date(value.toUpperCase()).toISOString();
  return /^(?!0000)\d{4}-/.test(text) ? text : null;
}
