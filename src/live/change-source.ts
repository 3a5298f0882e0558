import { type DocumentNode, execute, type GraphQLSchema } from 'graphql';
import type { Budget } from '../budget/budget.ts';
import { spent } from '../budget/spent.ts';
import { type CacheDependency, PARTS } from '../cache/dependencies/dependencies.ts';
import { NAMED, type NamedNamespace } from '../cache/dependencies/patterns.ts';
import { changedSince, type VersionStore, type Versions, versionsOf } from '../cache/versions/versions.ts';
import { unavailable } from '../errors.ts';
import { HIT_POINTS } from '../graphql/prices.ts';
import type { CacheNamespace } from '../invalidation/cache.input.ts';
import { type LiveState, writeCursor } from './cursor.ts';
import { eventOfText } from './live-event.ts';
import type { LiveReading, LiveSource, TenantCaller } from './live-source.ts';
import type { TenantChange } from './tenant-change.type.ts';

const RETRY_MS = 1_000;

export interface ChangeServices {
  readonly schema: GraphQLSchema;
  readonly versions: VersionStore;
  readonly budget: Budget;
}

export interface AskedChanges {
  readonly document: DocumentNode;
  readonly operationName: string | null;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly namespaces: readonly NamedNamespace[];
}

/** The events of `changes`: by the versions alone, which nothing has to be read for. */
export class ChangeSource implements LiveSource {
  readonly operation = 'changes';
  readonly #dependencies: readonly CacheDependency[];

  constructor(
    private readonly services: ChangeServices,
    private readonly asked: AskedChanges,
  ) {
    const { namespaces } = asked;
    const isWanted = (part: CacheDependency) => namespaces.some((name) => part.startsWith(`${name}:`));
    this.#dependencies = [...namespaces, ...PARTS.filter(isWanted)];
  }

  async read(caller: TenantCaller, known: LiveState): Promise<LiveReading> {
    const { budget, versions } = this.services;
    const refusal = budget.charge(caller, HIT_POINTS);
    if (refusal) return { error: spent(refusal), retryAtMs: refusal.allowance.resetAtMs + Math.random() * RETRY_MS };
    const { scope } = caller.tenant;
    const now = await Promise.resolve(versions.read(scope)).catch((error: unknown) => error as Error);
    // As long as nobody knows what was written: under a second, unless Redis or PostgreSQL is away.
    if (now instanceof Error) return { error: unavailable(now), retryAtMs: Date.now() + RETRY_MS / 4, isBrief: true };
    const state = { versions: versionsOf(now, this.#dependencies), etag: '', expiresAtMs: Number.POSITIVE_INFINITY };
    const namespaces = known.versions ? this.#changed(known.versions, now) : [];
    if (known.versions && namespaces.length === 0) return { state };
    const change: TenantChange = {
      namespaces: namespaces.map((name) => name.toUpperCase() as CacheNamespace),
      at: new Date().toISOString(),
      cursor: writeCursor(this.operation, state) ?? '',
    };
    return { state, event: eventOfText(JSON.stringify(await this.#shown(change)), change.cursor) };
  }

  /** What a cursor does not speak of, since it was given for other namespaces, may have changed. */
  #changed(before: Versions, now: Versions): readonly NamedNamespace[] {
    const unknown = this.#dependencies.filter((name) => before[name] === undefined);
    const changed = new Set<string>([...changedSince(before, now), ...unknown]);
    if (changed.has('epoch')) return this.asked.namespaces;
    return this.asked.namespaces.filter((name) =>
      [...changed].some((each) => each === name || each.startsWith(`${name}:`)),
    );
  }

  #shown(change: TenantChange) {
    const { document, operationName, variables } = this.asked;
    const { schema } = this.services;
    return execute({ schema, document, operationName, variableValues: variables, rootValue: change });
  }
}

/** @param asked null for all */
export function namespacesOf(asked: readonly CacheNamespace[] | null | undefined): readonly NamedNamespace[] {
  return asked ? NAMED.filter((name) => asked.includes(name.toUpperCase() as CacheNamespace)) : NAMED;
}
