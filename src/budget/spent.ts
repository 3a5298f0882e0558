import type { GraphQLError } from 'graphql';
import { rateLimited } from '../errors.ts';
import type { Refusal } from './budget.ts';

/**
 * The same for an answer that would be computed and for one that lies ready.
 * @param cost what the operation costs, where that is known; told when some points are left, but
 *   too few
 */
export function spent({ of, allowance }: Refusal, cost?: number): GraphQLError {
  const { limit, remaining, resetAtMs } = allowance;
  const whose = of === 'caller' ? 'The points of this minute' : "The tenant's points of this minute";
  const left = `${remaining} of ${limit} are left`;
  if (cost === undefined || remaining === 0)
    return rateLimited(`${whose} are spent: ${left}`, resetAtMs, { of, remaining, limit });
  const what = `${whose} do not suffice: this operation costs ${cost}, and ${left}`;
  return rateLimited(what, resetAtMs, { of, cost, remaining, limit });
}
