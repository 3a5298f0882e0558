import { createHash } from 'node:crypto';

/** Says that the bytes are an entry, of this layout. */
const MAGIC = Buffer.from('tny2');
const HASH_BYTES = 20;
const HASH_START = MAGIC.length;
/** Where the lengths begin. */
export const LENGTHS_START = HASH_START + HASH_BYTES;
/** Where the header begins. */
export const HEADER_START = LENGTHS_START + 8;

/** The beginning of an entry, as it was read without checking the rest. */
export interface FrameStart {
  readonly header: unknown;
  /** What the whole entry takes. */
  readonly bytes: number;
}

/**
 * Puts an entry into the bytes that Redis keeps: magic, SHA-1, length of the header and of the
 * payload (4 bytes each), the header as JSON, the payload. The hash is of the key and all that
 * follows: what was cut, changed, or lies under another key is no entry.
 */
export function frame(key: string, header: object, payload: Buffer): Buffer {
  const json = Buffer.from(JSON.stringify(header));
  const framed = Buffer.allocUnsafe(HEADER_START + json.length + payload.length);
  MAGIC.copy(framed);
  framed.writeUInt32BE(json.length, LENGTHS_START);
  framed.writeUInt32BE(payload.length, LENGTHS_START + 4);
  json.copy(framed, HEADER_START);
  payload.copy(framed, HEADER_START + json.length);
  hashOf(key, framed).copy(framed, HASH_START);
  return framed;
}

/** @returns undefined for bytes that are no entry of this key, or not the whole of one */
export function unframe(key: string, framed: Buffer): { header: unknown; payload: Buffer } | undefined {
  const start = frameStart(framed);
  if (start?.bytes !== framed.length) return undefined;
  if (!hashOf(key, framed).equals(framed.subarray(HASH_START, LENGTHS_START))) return undefined;
  return { header: start.header, payload: framed.subarray(HEADER_START + framed.readUInt32BE(LENGTHS_START)) };
}

/** @param framed at least as much of an entry as its header takes */
export function frameStart(framed: Buffer): FrameStart | undefined {
  if (framed.length < HEADER_START || !framed.subarray(0, HASH_START).equals(MAGIC)) return undefined;
  const payloadStart = HEADER_START + framed.readUInt32BE(LENGTHS_START);
  if (payloadStart > framed.length) return undefined;
  try {
    const header: unknown = JSON.parse(framed.toString('utf8', HEADER_START, payloadStart));
    return { header, bytes: payloadStart + framed.readUInt32BE(LENGTHS_START + 4) };
  } catch {
    return undefined; // a header that is no JSON: not an entry, and replaced like every miss
  }
}

function hashOf(key: string, framed: Buffer): Buffer {
  return createHash('sha1').update(key).update(framed.subarray(LENGTHS_START)).digest();
}
