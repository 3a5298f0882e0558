import { frame, unframe } from '../redis/entry-frame.ts';
import { decompressed } from './compression.ts';

/** What a stored header says beside the entry's own. */
interface Stored {
  /** Of the body, when it is compressed. */
  readonly plainBytes?: number;
}

/** An entry as it came from Redis. */
export interface StoredEntry<Header> {
  readonly header: Header;
  readonly body: Buffer;
  /** The compressed body, when that is what was stored. */
  readonly gzipped?: Buffer;
}

/**
 * The bytes of an entry in Redis.
 * @param gzipped the compressed body, which is stored instead of the plain one
 */
export function storedBytes(key: string, header: object, body: Buffer, gzipped?: Buffer): Buffer {
  return gzipped ? frame(key, { ...header, plainBytes: body.length }, gzipped) : frame(key, header, body);
}

/**
 * Reads an entry back. @returns undefined for bytes that are none of this key, or not the whole of
 * one
 */
export function readStored<Header>(key: string, bytes: Buffer): StoredEntry<Header> | undefined {
  const framed = unframe(key, bytes);
  if (!framed) return undefined;
  const { plainBytes, ...header } = framed.header as Header & Stored;
  // Copied: what Redis sent is part of a larger buffer, which the entry would keep alive.
  const stored = Buffer.from(framed.payload);
  if (plainBytes === undefined) return { header: header as Header, body: stored };
  const body = decompressed(stored, plainBytes);
  return body && { header: header as Header, body, gzipped: stored };
}
