import { frameStart } from '../../cache/redis/entry-frame.ts';
import { changedSince, type Versions } from '../../cache/versions/versions.ts';

export const STATES = ['current', 'old', 'expired', 'broken'] as const;
export type State = (typeof STATES)[number];

/** An entry in Redis, as an operator sees it. */
export interface KeptEntry {
  /** Behind the tenant's prefix. */
  readonly key: string;
  /** As in the metrics. */
  readonly namespace: string;
  /** The GraphQL operation's name, of an answer that has one. */
  readonly operation: string | null;
  /** As it lies there, compressed or not. */
  readonly bytes: number;
  /** Null of what is broken. */
  readonly ageMs: number | null;
  readonly state: State;
  /** What was changed since, of one that is old. */
  readonly changed: readonly string[];
  /** What it depends on. */
  readonly dependencies: readonly string[];
}

/** What an answer's and a value's header have in common, and the answer's own. */
interface Header {
  readonly versions: Versions;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly namespace?: string;
  readonly operationName?: string | null;
}

/**
 * Judges an entry by its header, without its payload.
 * @param start the first bytes of it, @param bytes how many it has in all
 * @param now null: nothing that is kept is current
 */
export function keptEntry(key: string, start: Buffer, bytes: number, now: Versions | null): KeptEntry {
  const framed = frameStart(start);
  const unknown = { key, namespace: namespaceOf(key), operation: null, bytes, dependencies: [] };
  if (!framed || framed.bytes !== bytes) return { ...unknown, ageMs: null, state: 'broken', changed: [] };
  const { versions, createdAtMs, expiresAtMs, namespace, operationName } = framed.header as Header;
  const changed = now ? changedSince(versions, now).map((name) => reason(name, versions, now)) : ['no versions'];
  const isExpired = expiresAtMs <= Date.now();
  return {
    ...unknown,
    namespace: namespace ?? unknown.namespace,
    operation: operationName ?? null,
    dependencies: Object.keys(versions).filter((name) => name !== 'epoch'),
    ageMs: Date.now() - createdAtMs,
    state: changed.length > 0 ? 'old' : isExpired ? 'expired' : 'current',
    changed,
  };
}

/** Of a value, the first part of its key. */
function namespaceOf(key: string): string {
  const [first] = key.split(':', 1);
  return first === 'response' ? 'unknown' : `data:${first}`;
}

function reason(name: string, then: Versions, now: Versions): string {
  if (name !== 'epoch') return `${name} was changed`;
  const [[term], [termNow]] = [then.epoch.split('.'), now.epoch.split('.')];
  return term === termNow ? 'the versions began anew' : 'a new term began: writes may have gone by unseen';
}
