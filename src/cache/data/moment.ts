import { parseSnapshot } from '../versions/snapshot.ts';

/**
 * A snapshot of the database as a number: how many transactions had ended. Each that ends makes it
 * greater. So of two snapshots of one server the greater was taken later, and equal ones show the
 * same.
 * @param snapshot as `pg_current_snapshot()` prints it
 */
export function momentOf(snapshot: string): number {
  const { xmax, inProgress } = parseSnapshot(snapshot);
  return Number(xmax) - inProgress.length;
}
