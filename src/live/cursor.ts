import type { Versions } from '../cache/versions/versions.ts';

/** Longer than any that the service gives. */
const MAX_LENGTH = 1_000;

/** What a subscriber knows: enough to tell it, later and by any process, what is new since. */
export interface LiveState {
  /** Of what it was told; undefined when they were not known then. */
  readonly versions: Versions | undefined;
  /** The validator of the value that it has; empty where it has none. */
  readonly etag: string;
  /** From when on the value is another, whatever is written. Milliseconds since 1970. */
  readonly expiresAtMs: number;
}

/**
 * A state as clients give it back. Versions never come again, and another tenant's have another
 * epoch: whatever a client makes of one, it is told too much of its own and nothing of others'.
 * @param operation what the value is of
 * @returns undefined when the state would tell nothing later
 */
export function writeCursor(operation: string, { versions, etag, expiresAtMs }: LiveState): string | undefined {
  if (!versions) return undefined;
  const expires = Number.isFinite(expiresAtMs) ? expiresAtMs : null;
  return Buffer.from(JSON.stringify([shortOf(operation), versions, etag, expires])).toString('base64url');
}

/** @returns undefined for what is no cursor; a state that knows nothing for one of another operation */
export function readCursor(operation: string, cursor: string): LiveState | undefined {
  if (cursor.length > MAX_LENGTH) return undefined;
  try {
    const [of, versions, etag, expires] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    if (!isVersions(versions) || typeof etag !== 'string' || typeof of !== 'string') return undefined;
    if (of !== shortOf(operation)) return NOTHING_KNOWN;
    return { versions, etag, expiresAtMs: typeof expires === 'number' ? expires : Number.POSITIVE_INFINITY };
  } catch {
    return undefined;
  }
}

export const NOTHING_KNOWN: LiveState = { versions: undefined, etag: '', expiresAtMs: Number.POSITIVE_INFINITY };

function shortOf(operation: string): string {
  return operation.slice(0, 16);
}

function isVersions(value: unknown): value is Versions {
  if (typeof value !== 'object' || value === null) return false;
  const { epoch, ...counts } = value as Record<string, unknown>;
  return typeof epoch === 'string' && Object.values(counts).every((count) => typeof count === 'number');
}
