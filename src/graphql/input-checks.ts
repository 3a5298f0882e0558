import { isDay } from '../calendar-day.ts';
import { badUserInput } from '../errors.ts';
import {
  END_OF_INSTANTS,
  FIRST_INSTANT,
  FRACTION_DIGITS,
  isInstantWithin,
  isLonger,
  type TextLimit,
  WHOLE_DIGITS,
} from '../limits.ts';
import { MAX_PAGE_SIZE } from '../paging/keyset.ts';

/** Rows of a page where no size is given. */
export const DEFAULT_PAGE_SIZE = 20;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const INSTANT = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
const DECIMAL = new RegExp(`^[+-]?\\d{1,${WHOLE_DIGITS}}(\\.\\d{1,${FRACTION_DIGITS}})?$`);

/** @returns the id in lower case, as PostgreSQL writes it */
export function checkedId(argument: string, id: string): string {
  if (!UUID.test(id)) throw badUserInput(argument, 'an id as this service gives it (a UUID)', id);
  return id.toLowerCase();
}

/** A calendar day that exists. */
export function checkedDay(argument: string, day: string): string {
  if (!isDayOfOurEra(day)) throw badUserInput(argument, 'a calendar day of the years 0001 to 9999, YYYY-MM-DD', day);
  return day;
}

/** An instant with its offset. @returns it in UTC with milliseconds, as the database keeps it */
export function checkedInstant(argument: string, instant: string): string {
  const [, day, hours, minutes, seconds] = INSTANT.exec(instant) ?? [];
  const exists = day && isDayOfOurEra(day) && Number(hours) < 24 && Number(minutes) < 60 && Number(seconds) < 60;
  const utc = exists ? new Date(instant.toUpperCase()).toISOString() : '';
  // The first and last hours may lie in the years 0000 and 10000 of UTC, which PostgreSQL writes
  // otherwise.
  if (!/^(?!0000)\d/.test(utc))
    throw badUserInput(
      argument,
      'an instant of the years 0001 to 9999 (in UTC) with its offset, such as 2026-01-31T12:00:00Z',
      instant,
    );
  return utc;
}

/** An instant that is to be kept: its day must be one of the calendar in every time zone. */
export function checkedKeptInstant(argument: string, instant: string): string {
  const utc = checkedInstant(argument, instant);
  if (!isInstantWithin(utc))
    throw badUserInput(argument, `an instant from ${FIRST_INSTANT} on and before ${END_OF_INSTANTS}`, instant);
  return utc;
}

/** An exact decimal within the limits of money. @returns it unchanged */
export function checkedDecimal(argument: string, decimal: string): string {
  if (!DECIMAL.test(decimal))
    throw badUserInput(
      argument,
      `a decimal with at most ${WHOLE_DIGITS} digits before the point and ${FRACTION_DIGITS} after it`,
      decimal,
    );
  return decimal;
}

/** A decimal greater than zero. */
export function checkedAmount(argument: string, amount: string): string {
  checkedDecimal(argument, amount);
  if (amount.startsWith('-') || !/[1-9]/.test(amount)) throw badUserInput(argument, 'greater than 0', amount);
  return amount;
}

export function checkedInteger(argument: string, value: number, min: number, max: number): number {
  if (!Number.isInteger(value) || value < min || value > max)
    throw badUserInput(argument, `a whole number between ${min} and ${max}`, value);
  return value;
}

/** The size of a page or list. */
export function checkedSize(argument: string, size: number): number {
  return checkedInteger(argument, size, 1, MAX_PAGE_SIZE);
}

/** Whether `checkedSize` lets it through. */
export function isSize(size: unknown): size is number {
  return Number.isInteger(size) && (size as number) >= 1 && (size as number) <= MAX_PAGE_SIZE;
}

/**
 * PostgreSQL refuses a statement with a null character, and takes half a character for another one.
 */
const NULL_OR_HALF = /[\0\p{Cs}]/u;

/** Text that is looked for as it is. */
export function checkedSearchText(argument: string, text: string): string {
  if (NULL_OR_HALF.test(text))
    throw badUserInput(argument, 'text without null characters and halves of characters', text);
  return text;
}

/** Control characters, and halves of characters, which PostgreSQL would keep as another one. */
const CONTROL_OR_HALF = /[\p{Cc}\p{Cs}]/u;

/**
 * Text that a person typed: not empty, without control characters, and not longer than its column
 * takes.
 */
export function checkedText(argument: string, text: string, { maxLength }: TextLimit): string {
  const trimmed = text.trim();
  if (!trimmed || isLonger(trimmed, maxLength) || CONTROL_OR_HALF.test(trimmed))
    throw badUserInput(argument, `text of 1 to ${maxLength} characters without control characters`, text);
  return trimmed;
}

/** What a schema says of a text that `checkedText` checks. */
export function lengthOf({ maxLength }: TextLimit): string {
  return `1 to ${maxLength} characters without control characters; white space around them is removed.`;
}

/** Years have four digits, and there is no year 0. */
function isDayOfOurEra(text: string): boolean {
  return isDay(text) && !text.startsWith('0000');
}
