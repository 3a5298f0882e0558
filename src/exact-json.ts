import { Prisma } from './generated/prisma/client.ts';

/** The property that marks what JSON has no form for. */
const MARK = '$';
/** How every mark begins in the text: text without it is read as plain JSON. */
const MARK_TEXT = '{"$":';
/**
 * The mark of an object that has a property of the same name itself: its properties are written as
 * a list.
 */
const PROPERTIES = 'properties';

interface Marked {
  readonly $: string;
  readonly v: unknown;
}

const READ: Readonly<Record<string, (text: string) => unknown>> = {
  undefined: () => undefined,
  bigint: (text) => BigInt(text),
  number: (text) => Number(text),
  date: (text) => new Date(Number(text)),
  decimal: (text) => new Prisma.Decimal(text),
  bytes: (text) => new Uint8Array(Buffer.from(text, 'base64')),
};

/**
 * Writes what repositories and Prisma give, so that `parseExact` reads back the same: also dates,
 * decimals, big integers, bytes and undefined, which JSON changes or refuses.
 */
export function exactJson(value: unknown): string {
  return JSON.stringify(isPlain(value) ? value : written(value));
}

/** @throws when the text is none of `exactJson` */
export function parseExact(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  return text.includes(MARK_TEXT) ? revived(parsed) : parsed;
}

/** Whether JSON carries it as it is. Most rows are such, and need not be copied. */
function isPlain(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== 'object' || value === null) return typeof value !== 'bigint' && value !== undefined;
  if (Array.isArray(value)) return value.every(isPlain);
  return Object.getPrototypeOf(value) === Object.prototype && !(MARK in value) && Object.values(value).every(isPlain);
}

function written(value: unknown): unknown {
  if (typeof value === 'object' && value !== null) return writtenObject(value);
  if (isPlain(value)) return value;
  return marked(typeof value, Object.is(value, -0) ? '-0' : String(value));
}

function writtenObject(value: object): unknown {
  if (Array.isArray(value)) return value.map(written);
  if (value instanceof Date) return marked('date', String(value.getTime()));
  // Not toString, which loses the sign of zero.
  if (Prisma.Decimal.isDecimal(value)) return marked('decimal', value.valueOf());
  if (value instanceof Uint8Array) return marked('bytes', Buffer.from(value).toString('base64'));
  const properties = Object.entries(value).map(([name, property]) => [name, written(property)]);
  return MARK in value ? marked(PROPERTIES, properties) : Object.fromEntries(properties);
}

function marked(form: string, v: unknown): Marked {
  return { [MARK]: form, v };
}

function revived(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(revived);
  if (!(MARK in value)) return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, revived(each)]));
  const { $: form, v } = value as Marked;
  if (form === PROPERTIES)
    return Object.fromEntries((v as [string, unknown][]).map(([name, each]) => [name, revived(each)]));
  const read = READ[form];
  if (!read) throw new SyntaxError(`"${form}" is no form of a kept value`);
  return read(v as string);
}
