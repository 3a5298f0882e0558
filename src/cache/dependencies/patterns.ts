import { StatisticsPeriod } from '../../calendar.ts';
import { isDay } from '../../calendar-day.ts';
import { type CacheDependency, NAMESPACES, type Namespace, PARTS } from './dependencies.ts';

/**
 * Namespaces that can be invalidated by name; what shows the tenant itself only together with
 * everything.
 */
export const NAMED = NAMESPACES.filter((name) => name !== 'tenant');
export type NamedNamespace = Exclude<Namespace, 'tenant'>;

/** What a pattern invalidates. */
export interface Invalidation {
  readonly dependencies: readonly CacheDependency[];
  /** The namespaces of these. */
  readonly namespaces: readonly NamedNamespace[];
}

const EVERYTHING: Invalidation = { dependencies: NAMESPACES, namespaces: NAMED };

/** A part of a key: its name in messages, and what it may be. */
interface KeyPart {
  readonly name: string;
  is(text: string): boolean;
  /** Whether something that it may be begins so. */
  begins(text: string): boolean;
}

const DATE: KeyPart = {
  name: '<date>',
  is: isDay,
  begins: (text) => FILLS.some((day) => isDay(text + day.slice(text.length))),
};
/**
 * With the end of one of these, every beginning of a day is one: there is a 10th and a 30th where
 * there is a 31st not.
 */
const FILLS = ['2001-01-01', '2000-10-10'];
const HASH = formed('<hash>', /^[\w-]{43}$/, /^[\w-]{0,43}$/);
const PERIOD = oneOf(...Object.values(StatisticsPeriod).map((period) => period.toLowerCase()));

/** The keys of data entries, behind the namespace. */
const KEYS: Readonly<Record<NamedNamespace, readonly (readonly KeyPart[])[]>> = {
  accounts: [[oneOf('list'), HASH]],
  transactions: [],
  dashboard: [[DATE]],
  statistics: [[PERIOD, DATE, DATE]],
};

/** Of reads of the Prisma client with the option `cache`, in any namespace. */
const PRISMA_READ = [
  formed('<Model>.<read>', /^[A-Z]\w*\.[a-z]\w*$/, /^(?:[A-Z]\w*(?:\.(?:[a-z]\w*)?)?)?$/),
  formed('<key>', /./, /^/),
];

/** What patterns there are, for messages. */
export const PATTERN_FORMS: readonly string[] = [
  '*',
  ...NAMED.map((name) => `${name}:*`),
  ...PARTS.map((name) => `${name}:*`),
  ...NAMED.flatMap((name) => KEYS[name].map((key) => [name, ...key.map((part) => part.name)].join(':'))),
  `<namespace>:${PRISMA_READ.map(({ name }) => name).join(':')}`,
];

/**
 * What a pattern of a tenant's keys invalidates: the smallest namespace, or part of one, that has
 * every key that matches. A pattern is the beginning of a key, part by part; an asterisk stands for
 * a part, or for the end of one.
 * @returns undefined for a pattern that no key can match
 */
export function invalidationOf(pattern: string): Invalidation | undefined {
  if (pattern === '*') return EVERYTHING;
  const [first = '', ...rest] = pattern.split(':');
  const namespace = NAMED.find((name) => name === first);
  if (!namespace || ![...KEYS[namespace], PRISMA_READ].some((key) => mayMatch(rest, key))) return undefined;
  const part = PARTS.find((name) => pattern === name || pattern.startsWith(`${name}:`));
  return { dependencies: [part ?? namespace], namespaces: [namespace] };
}

/** Whether keys can begin with these parts of a pattern. */
function mayMatch(asked: readonly string[], key: readonly KeyPart[]): boolean {
  const isOpen = asked.at(-1) === '*';
  const named = isOpen ? asked.slice(0, -1) : asked;
  return named.length <= key.length && named.every((text, place) => partMayMatch(text, key[place] as KeyPart));
}

function partMayMatch(text: string, part: KeyPart): boolean {
  const star = text.indexOf('*');
  if (star === -1) return part.is(text);
  return star === text.length - 1 && part.begins(text.slice(0, star));
}

function formed(name: string, whole: RegExp, beginning: RegExp): KeyPart {
  return { name, is: (text) => whole.test(text), begins: (text) => beginning.test(text) };
}

function oneOf(...words: readonly string[]): KeyPart {
  return {
    name: words.join('|'),
    is: (text) => words.includes(text),
    begins: (text) => words.some((word) => word.startsWith(text)),
  };
}
