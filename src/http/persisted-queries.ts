import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { badRequest, persistedQueryNotFound } from '../errors.ts';

/** In characters of all texts together; a client whose text fell out sends it again. */
const MAX_CHARACTERS = 30 * 1024 * 1024;

/** What `extensions.persistedQuery` says. */
export interface PersistedQuery {
  readonly version: 1;
  readonly sha256Hash: string;
}

/**
 * Automatic persisted queries (Apollo's protocol): a client names a document by the SHA-256 of its
 * text, and sends the text once where the hash is not known. Apollo Server's own are off, so that
 * hash and text meet in one place.
 */
export class PersistedQueries {
  readonly #texts = new LRUCache<string, string>({
    maxSize: MAX_CHARACTERS,
    sizeCalculation: (text) => text.length + 100,
  });

  /** Whether the hash is known. Keeps it from falling out. */
  knows(hash: string): boolean {
    return this.#texts.get(hash) !== undefined;
  }

  /** @throws PERSISTED_QUERY_NOT_FOUND, upon which clients send the text too */
  textOf({ sha256Hash }: PersistedQuery): string {
    const text = this.#texts.get(sha256Hash);
    if (text === undefined) throw persistedQueryNotFound();
    return text;
  }

  /** @throws BAD_REQUEST for a hash of another text */
  check({ sha256Hash }: PersistedQuery, text: string): void {
    const bytes = Buffer.from(text);
    const hash = createHash('sha256').update(bytes).digest('hex');
    // Halves of characters, which JSON can say, are written as U+FFFD: many texts have the same
    // bytes.
    if (hash !== sha256Hash || bytes.toString() !== text) throw badRequest('provided sha does not match query');
  }

  /** @param hash of the text, checked */
  register(hash: string, text: string): void {
    this.#texts.set(hash, text);
  }
}
