import type { Trust } from '../versions/trust.ts';
import type { VersionStore } from '../versions/versions.ts';
import type { UnconfirmedInvalidations } from './unconfirmed-invalidations.ts';

/**
 * What a process does for the outbox: one relays it to Redis, the others stand by; without Redis
 * each reads it for itself.
 */
export type ChangeFeedRole = 'off' | 'alone' | 'standby' | 'relay';

/** For the metrics; since the process began. */
export class ChangeFeedState {
  role: ChangeFeedRole = 'off';
  /** Rows of the outbox that were read. */
  rowsRead = 0;
  /** From the begin of the last poll that is done with until all it saw was in the versions. */
  lagMs = 0;
  /** How often this process became the outbox relay. */
  elections = 0;
  /** How often everything was taken for old, because something may have gone by unseen. */
  terms = 0;
}

/** How a process learns of writes past it, and what it knows of them. */
export interface ChangeFeed {
  readonly versions: VersionStore;
  readonly trust: Trust;
  readonly state: ChangeFeedState;
  /** Absent without Redis: a bump within the process does not fail. */
  readonly unconfirmed?: UnconfirmedInvalidations;
  /**
   * Whether the versions are trusted after all. The process may have stood still for longer than
   * its trust lasts, and need only look again; those who wait wait together. Says no at once when
   * looking failed the last time.
   */
  regainTrust(): Promise<boolean>;
  /**
   * Resolves when every write that was committed before the call is in the versions that this
   * process trusts.
   * @throws when that takes longer than a few seconds
   */
  untilCaughtUp(): Promise<void>;
  stop(): Promise<void>;
}
