import { parseSnapshot, seesAllOf } from './snapshot.ts';

/** A place in the outbox of one database. */
export interface Checkpoint {
  readonly snapshot: string;
  /** As `cache_database_identity()` gives it. */
  readonly database: string;
  /** Another one after a trigger of the outbox was made, dropped, disabled or enabled. */
  readonly triggers: string;
}

/**
 * Whether a poll saw everything since the checkpoint: it was the same run of the same database (one
 * that came back from a crash, a standby or a backup may have lost writes that were seen), the
 * triggers fired all the while, and no row was removed that the checkpoint had not seen.
 */
export function isContinued(checkpoint: Checkpoint, poll: Checkpoint & { readonly removed: string | null }): boolean {
  if (checkpoint.database !== poll.database || checkpoint.triggers !== poll.triggers) return false;
  return poll.removed === null || seesAllOf(parseSnapshot(checkpoint.snapshot), parseSnapshot(poll.removed));
}
