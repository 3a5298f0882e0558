import { badUserInput } from '../errors.ts';
import type { KeysetOrder, Position } from './keyset.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** Whether a text is a sort value of each type: what is none is not sent to the database. */
const IS_SORT_VALUE: Record<string, (text: string) => boolean> = {
  // Years of more digits, before Christ, and the year 0 are Date's, but not PostgreSQL's.
  timestamptz: (text) =>
    /^(?!0000)\d{4}-/.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString() === text,
  numeric: (text) => /^-?\d{1,15}(\.\d{1,4})?$/.test(text),
  text: (text) => !text.includes('\0'),
};

/** An opaque text for a row's place, which `parseCursor` reads back under the same order. */
export function cursorOf(order: KeysetOrder, { sortValue, id }: { sortValue: string; id: string }): string {
  return Buffer.from(JSON.stringify([orderTag(order), sortValue, id])).toString('base64url');
}

/** @throws BAD_USER_INPUT when the text is no cursor of this order */
export function parseCursor(argument: string, cursor: string, order: KeysetOrder): Position {
  const [tag, value, id] = decode(cursor);
  const sound =
    tag === orderTag(order) &&
    typeof value === 'string' &&
    IS_SORT_VALUE[order.type.sql]?.(value) &&
    typeof id === 'string' &&
    UUID.test(id);
  if (!sound) throw badUserInput(argument, 'a cursor that this list gave under the same orderBy', cursor);
  return { value, id };
}

function orderTag({ name, descending }: KeysetOrder): string {
  return descending ? `-${name}` : name;
}

function decode(cursor: string): unknown[] {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    return Array.isArray(parsed) ? parsed : [];
  } catch {
    return []; // not JSON: no cursor of ours, which the caller says with the argument's name
  }
}
