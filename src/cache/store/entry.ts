import { createHash } from 'node:crypto';
import type { Versions } from '../versions/versions.ts';
import { compressed } from './compression.ts';
import { readStored, storedBytes } from './stored-body.ts';

/** What is known of an answer beside its body. */
interface EntryHeader {
  /** What the answer depends on, as it was before the database was read. */
  readonly versions: Versions;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
  /**
   * Until when it may be served at most: its time to live, or the tenant's midnight if that comes
   * before.
   */
  readonly expiresAtMs: number;
  readonly contentType: string;
  /** For the metrics. */
  readonly operationName: string | null;
  readonly namespace: string;
  /** Strong validator of the body. */
  readonly etag: string;
  /** In Redis: of the deployment that keeps it. */
  readonly layout?: string;
}

/** An answer, ready to be sent. */
export interface ResponseEntry extends EntryHeader {
  readonly body: Buffer;
  /** The compressed body, once `gzippedBody` has made it or Redis had it. */
  gzipped?: Buffer;
  gzipping?: Promise<Buffer>;
  /** The headers of the two forms, made when they are first sent; not stored. */
  head?: readonly string[];
  gzippedHead?: readonly string[];
}

/** The compressed body, made once: for Redis, or for the first client that takes it. */
export function gzippedBody(entry: ResponseEntry): Promise<Buffer> {
  entry.gzipping ??= compressed(entry.body).then((gzipped) => {
    entry.gzipped = gzipped;
    return gzipped;
  });
  return entry.gzipping;
}

/**
 * An entry as it lies in Redis.
 * @param gzipped the compressed body, which is stored instead of the plain one
 * @param layout of the deployment, which `decodeEntry` gives back
 */
export function encodeEntry(key: string, entry: ResponseEntry, gzipped?: Buffer, layout?: string): Buffer {
  const { versions, createdAtMs, expiresAtMs, contentType, operationName, namespace, etag, body } = entry;
  const header: EntryHeader = {
    ...{ versions, createdAtMs, expiresAtMs, contentType, operationName, namespace, etag },
    ...(layout !== undefined && { layout }),
  };
  return storedBytes(key, header, body, gzipped);
}

/**
 * Reads an entry back. @returns undefined for bytes that are none of this key, or not the whole of
 * one
 */
export function decodeEntry(key: string, bytes: Buffer): ResponseEntry | undefined {
  const stored = readStored<EntryHeader>(key, bytes);
  if (!stored) return undefined;
  const { header, ...bodies } = stored;
  return { ...header, ...bodies };
}

/** A strong validator: equal only for equal bytes. */
export function etagOf(body: Buffer): string {
  return `"${createHash('sha1').update(body).digest('base64url')}"`;
}
