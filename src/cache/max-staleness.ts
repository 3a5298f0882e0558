import { checkedInteger } from '../graphql/input-checks.ts';

/** Beyond an hour most entries are gone anyway. */
const MAX_STALENESS_SECONDS = 3_600;

/** The argument `maxStalenessSeconds`. */
export const MAX_STALENESS = {
  nullable: true,
  defaultValue: 0,
  description: `Accept an answer that is so many seconds old, though something was written since: 0 to ${MAX_STALENESS_SECONDS}. 0: never older than the last write. Without effect together with refresh.`,
};

/** @throws BAD_USER_INPUT beyond the bounds */
export function checkedStalenessMs(seconds: number | null, refreshes: boolean): number {
  const checked = checkedInteger('maxStalenessSeconds', seconds ?? 0, 0, MAX_STALENESS_SECONDS);
  return refreshes ? 0 : checked * 1_000;
}
