import { LRUCache } from 'lru-cache';
import { TABLE_OF_MODEL } from './tables.ts';

/** Statements of the service have some hundred texts, since each is prepared. */
const MAX_TEXTS = 1_000;

const NAMES = Object.values(TABLE_OF_MODEL);
/** Also in quotes, as Prisma writes them; not within other names, or as a text of its own. */
const NAMED = new RegExp(`(?<!['\\w])(?:${NAMES.join('|')})(?!['\\w])`, 'g');

const known = new LRUCache<string, readonly string[]>({ max: MAX_TEXTS });

/**
 * The product's tables that a statement names: those that it reads, and perhaps more, where a
 * column or an alias has the name of a table.
 */
export function tablesIn(text: string): readonly string[] {
  const found = known.get(text) ?? [...new Set(text.match(NAMED))];
  known.set(text, found);
  return found;
}
