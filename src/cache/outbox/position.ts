import { parseSnapshot, seesAllOf } from './snapshot.ts';

/** A place in the outbox. */
export interface Position {
  readonly snapshot: string;
  readonly serverStart: string;
}

/**
 * Whether a poll saw everything since the position: the server is the same, and no row was removed that the position
 * had not seen. (A server that came back from a crash, a standby or a backup may also have lost writes that were seen.)
 */
export function isContinued(
  position: Position,
  poll: { readonly serverStart: string; readonly removed: string | null },
): boolean {
  if (position.serverStart !== poll.serverStart) return false;
  return poll.removed === null || seesAllOf(parseSnapshot(position.snapshot), parseSnapshot(poll.removed));
}
