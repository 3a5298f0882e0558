import type { Random } from '../../graphql/fuzz/random.ts';
import { answersIn, bytesOf, exchange, exchangeBytes, type RawAnswer, type RawRequest } from './exchange.ts';
import type { World } from './world.ts';

/** Something that a hostile client sends. */
export interface Attempt {
  /** All that it says: an answer may say it again. */
  readonly sent: string;
  /** How many answers must come; absent: at least one. */
  readonly answers?: number;
  /**
   * Whether the service may close the connection without an answer: to who ended it, or speaks
   * another protocol.
   */
  readonly mayHangUp?: boolean;
  send(url: string): Promise<readonly RawAnswer[]>;
}

/** Attempts of one sort. */
export interface Kind {
  readonly name: string;
  /** @param count about how many, and no fewer */
  attempts(world: World, random: Random, count: number): readonly Attempt[] | Promise<readonly Attempt[]>;
  /** Whether it asks for what an OPERATOR may see: all tenants, statements, tables and indexes. */
  readonly isOperators?: boolean;
  /** How many are under way together; absent: as many as of any kind. */
  readonly atOnce?: number;
}

const JSON_HEADER = ['content-type', 'application/json'] as const;

/** A whole request over a connection of its own. */
export function asking(token: string | null, request: RawRequest): Attempt {
  return {
    sent: `${token} ${bytesOf(null, request).toString()}`,
    send: async (url) => [await exchange(url, token, request)],
  };
}

/** One operation by POST. */
export function posting(token: string | null, query: string, variables: object = {}): Attempt {
  return asking(token, { headers: [JSON_HEADER], body: JSON.stringify({ query, variables }) });
}

/** One operation by POST whose variables are this text. */
export function postingRaw(token: string, query: string, variables: string): Attempt {
  return asking(token, {
    headers: [JSON_HEADER],
    body: `{"query":${JSON.stringify(query)},"variables":${variables}}`,
  });
}

/**
 * Bytes in pieces. @param ends whether the client ends its side then; else the service must end the
 * connection
 */
export function writing(pieces: readonly (string | Buffer)[], answers?: number, ends = false): Attempt {
  return {
    sent: pieces.map((piece) => piece.toString('latin1')).join(''),
    ...(answers !== undefined && { answers }),
    send: async (url) => answersIn(await exchangeBytes(url, pieces, ends)),
  };
}

export function times<Item>(count: number, make: (n: number) => Item): Item[] {
  return Array.from({ length: count }, (_, n) => make(n));
}

/** At least so many of the items, again from the start where they are fewer. */
export function atLeast<Item>(count: number, items: readonly Item[]): Item[] {
  return times(Math.max(count, items.length), (n) => items[n % items.length] as Item);
}
