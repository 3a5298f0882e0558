/**
 * A PostgreSQL snapshot, as text `xmin:xmax:xip,xip`. Of the transactions that write, it sees those
 * below `xmax` that are not among `inProgress`.
 */
export interface Snapshot {
  readonly xmax: string;
  /** Below `xmax`, but not ended when the snapshot was taken. */
  readonly inProgress: readonly string[];
}

export function parseSnapshot(text: string): Snapshot {
  const [, xmax, inProgress] = /^\d+:(\d+):([\d,]*)$/.exec(text) ?? [];
  if (xmax === undefined) throw new Error(`not a PostgreSQL snapshot: ${text.slice(0, 80)}`);
  return { xmax, inProgress: inProgress ? inProgress.split(',') : [] };
}

/**
 * Whether `snapshot` sees all that `other` sees; false also when only the other could have seen
 * something more.
 */
export function seesAllOf(snapshot: Snapshot, other: Snapshot): boolean {
  if (BigInt(other.xmax) > BigInt(snapshot.xmax)) return false;
  const hiddenThere = new Set(other.inProgress);
  return snapshot.inProgress.every((xid) => hiddenThere.has(xid) || BigInt(xid) >= BigInt(other.xmax));
}
