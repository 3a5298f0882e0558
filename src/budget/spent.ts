import type { GraphQLError } from 'graphql';
import { rateLimited } from '../errors.ts';
import type { Refusal } from './budget.ts';

const WHOSE: Readonly<Record<Refusal['of'], string>> = {
  caller: 'The points of this minute',
  tenant: "The tenant's points of this minute",
  anonymous: 'The points of this minute that all who send no token share',
};

/**
 * The same for an answer that would be computed and for one that lies ready.
 * @param cost what the operation costs; told when some points are left, but too few
 * @param isLeast whether it may cost more
 */
export function spent({ of, allowance }: Refusal, cost?: number, isLeast = false): GraphQLError {
  const { limit, remaining, resetAtMs } = allowance;
  const whose = WHOSE[of];
  const left = `${remaining} of ${limit} are left`;
  if (cost === undefined || remaining === 0)
    return rateLimited(`${whose} are spent: ${left}`, resetAtMs, { of, remaining, limit });
  const what = `${whose} do not suffice: this operation costs ${cost}${isLeast ? ' at least' : ''}, and ${left}`;
  return rateLimited(what, resetAtMs, { of, ...(!isLeast && { cost }), remaining, limit });
}
