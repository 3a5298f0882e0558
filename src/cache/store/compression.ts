import { promisify } from 'node:util';
import { gunzipSync, gzip } from 'node:zlib';

/** Beyond level 1 JSON gets little smaller and takes much more time. */
const LEVEL = 1;
/**
 * An answer of the highest cost that is allowed takes a tenth. More is not believed of an entry
 * that says so.
 */
export const MAX_PLAIN_BYTES = 32 * 1024 * 1024;

const gzipInBackground = promisify(gzip);

/**
 * The compressed form: kept in Redis, and sent as it is to clients that take it. Gzip, which every
 * client takes that takes any; brotli's lowest level is twice as fast, but would be kept beside
 * gzip for the rest of them.
 */
export function compressed(plain: Buffer): Promise<Buffer> {
  return gzipInBackground(plain, { level: LEVEL });
}

/**
 * At once, which costs half of what it does in the background.
 * @param plainBytes how many come out; whatever would become more is given up before it does
 * @returns undefined for bytes that are not the compressed form of so many
 */
export function decompressed(bytes: Buffer, plainBytes: number): Buffer | undefined {
  if (!(plainBytes > 0 && plainBytes <= MAX_PLAIN_BYTES)) return undefined;
  try {
    const plain = gunzipSync(bytes, { maxOutputLength: plainBytes, chunkSize: Math.max(64, plainBytes) });
    return plain.length === plainBytes ? plain : undefined;
  } catch {
    return undefined; // broken, or a bomb
  }
}
