import { checkedInteger } from '../../graphql/input-checks.ts';
import { sentences } from '../../graphql/sentences.ts';

/** Beyond an hour most entries are gone anyway. */
const MAX_STALENESS_SECONDS = 3_600;

/** The argument `maxStalenessSeconds`. */
export const MAX_STALENESS = {
  nullable: true,
  defaultValue: 0,
  description: sentences(
    `How old an answer may be that later writes have changed, in seconds, 0 to ${MAX_STALENESS_SECONDS}.`,
    '0 and null: never older than the last write. Without effect together with refresh.',
  ),
};

/** @throws BAD_USER_INPUT beyond the bounds */
export function checkedStalenessMs(seconds: number | null, refreshes: boolean): number {
  const checked = checkedInteger('maxStalenessSeconds', seconds ?? 0, 0, MAX_STALENESS_SECONDS);
  return refreshes ? 0 : checked * 1_000;
}
