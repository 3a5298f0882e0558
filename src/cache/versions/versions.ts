import { randomUUID } from 'node:crypto';
import type { TenantScope } from '../../tenancy/tenant-scope.ts';
import type { CacheDependency } from '../dependencies/dependencies.ts';
import type { ChangeListener } from './change-signals.ts';
import type { OutboxChange } from './outbox-reader.ts';

/**
 * A tenant's versions at one moment: `epoch`, a value never used before, and for each namespace how
 * often it was bumped within that epoch (absent: never). Two equal values of a namespace mean that
 * nothing it stands for was changed between.
 */
export type Versions = Readonly<{ epoch: string } & Partial<Record<CacheDependency, number>>>;

/** Where the versions live. */
export interface VersionStore {
  /**
   * The versions now. A tenant without any gets a fresh epoch, so that nothing computed before is
   * ever taken for current. Without a promise where they lie in the process. @throws when the store
   * cannot be read; the caller then goes without the cache
   */
  read(scope: TenantScope): Versions | Promise<Versions>;
  /** The versions now, where they are known without asking anybody. */
  leased(scope: TenantScope): Versions | undefined;
  /**
   * Invalidates everything that depends on one of these. @throws when it is not certain that every
   * process takes note of it
   * @param writeId a committed write of the API, whose rows in the outbox are then passed over
   */
  bump(scope: TenantScope, dependencies: readonly CacheDependency[], writeId?: string): Promise<void>;
  /**
   * Hears of bumps by every process, as soon as what is read shows them. @returns ends it
   */
  listen(listener: ChangeListener): () => void;
}

/** What became of rows of the outbox. */
export interface Relayed {
  /**
   * Resolves when no process takes what was before the bumps for current any more; absent when none
   * does. Never rejects.
   */
  readonly heard?: Promise<void> | undefined;
}

/** Versions that processes share. */
export interface SharedVersions extends VersionStore {
  /** The versions, and the bytes under a key of the same tenant, in one round trip. */
  readWith(scope: TenantScope, key: string): Promise<{ versions: Versions; bytes: Buffer | null }>;
  /**
   * Bumps what rows of the outbox tell of, but what the API has bumped itself.
   * @throws when one of the bumps is not certain to have happened
   * @param serverId the Redis that is meant
   */
  relay(serverId: string, changes: readonly OutboxChange[]): Promise<Relayed>;
  close(): void;
}

export function isShared(versions: VersionStore): versions is SharedVersions {
  return 'readWith' in versions;
}

/**
 * Time and chance: never used before, also after the clock was set back. The last 48 bits of a
 * UUID, since Node.js has those ready and random bytes of their own cost more: each mutation sends
 * one in case that Redis has lost its versions.
 */
export function freshEpoch(): string {
  return `${Date.now().toString(36)}-${randomUUID().slice(-12)}`;
}

/** The part of the versions that an answer depends on. */
export function versionsOf(versions: Versions, dependencies: Iterable<CacheDependency>): Versions {
  const part: { epoch: string } & Partial<Record<CacheDependency, number>> = { epoch: versions.epoch };
  for (const name of dependencies) part[name] = versions[name] ?? 0;
  return part;
}

/**
 * What of all that an answer was computed under is no longer so: namespaces, or `epoch`, which
 * stands for all of them.
 */
export function changedSince(computedUnder: Versions, now: Versions): string[] {
  if (computedUnder.epoch !== now.epoch) return ['epoch'];
  const names = Object.keys(computedUnder) as (keyof Versions)[];
  return names.filter((name) => computedUnder[name] !== (now[name] ?? 0));
}

/** Whether everything that an answer was computed under is still so. */
export function isCurrent(computedUnder: Versions, now: Versions): boolean {
  for (const name in computedUnder) {
    const key = name as keyof Versions;
    if (computedUnder[key] !== (now[key] ?? 0)) return false;
  }
  return true;
}
