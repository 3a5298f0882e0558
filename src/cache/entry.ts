import { createHash } from 'node:crypto';
import type { Versions } from './versions.ts';

/** An answer, ready to be sent. */
export interface ResponseEntry {
  /** What the answer depends on, as it was before the database was read. */
  readonly versions: Versions;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
  /** Until when it may be served at most: its time to live, or the tenant's midnight if that comes before. */
  readonly expiresAtMs: number;
  readonly contentType: string;
  /** For the metrics. */
  readonly operationName: string | null;
  readonly namespace: string;
  readonly body: Buffer;
  /** Strong validator of the body. */
  readonly etag: string;
  /** The compressed body, made for the first client that takes it; not stored. */
  gzipped?: Buffer;
  /** The headers of the two forms, made when they are first sent; not stored. */
  head?: readonly string[];
  gzippedHead?: readonly string[];
}

/** Says that the bytes are an entry, of this layout. */
const MAGIC = Buffer.from('tny1');
const HEADER_START = MAGIC.length + 4;

/** Layout: magic, length of the header (4 bytes), the header as JSON, the body. The header holds the body's hash. */
export function encodeEntry({
  body,
  gzipped: _,
  head: _head,
  gzippedHead: _gzippedHead,
  ...header
}: ResponseEntry): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.length);
  return Buffer.concat([MAGIC, length, json, body]);
}

/** Reads an entry back. @returns undefined for bytes that are none, or not the whole of one */
export function decodeEntry(bytes: Buffer): ResponseEntry | undefined {
  if (bytes.length < HEADER_START || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  const bodyStart = HEADER_START + bytes.readUInt32BE(MAGIC.length);
  if (bodyStart > bytes.length) return undefined;
  const body = bytes.subarray(bodyStart);
  try {
    const header = JSON.parse(bytes.toString('utf8', HEADER_START, bodyStart)) as Omit<ResponseEntry, 'body'>;
    return header.etag === etagOf(body) ? { ...header, body } : undefined;
  } catch {
    return undefined; // a header that is no JSON: not an entry, and replaced like every miss
  }
}

/** A strong validator: equal only for equal bytes. */
export function etagOf(body: Buffer): string {
  return `"${createHash('sha1').update(body).digest('base64url')}"`;
}
