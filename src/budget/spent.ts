import type { GraphQLError } from 'graphql';
import { rateLimited } from '../errors.ts';
import type { Refusal } from './budget.ts';

/**
 * The same for an answer that would be computed and for one that lies ready.
 * @param cost what the operation costs, where that is known; told when some points are left, but
 *   too few
 */
export function spent({ of, allowance: { limit, remaining, resetAtMs } }: Refusal, cost?: number): GraphQLError {
  const whose = of === 'caller' ? 'The points of this minute' : "The tenant's points of this minute";
  if (cost === undefined || remaining === 0) return rateLimited(`${whose} are spent`, resetAtMs);
  const what = `${whose} do not suffice: this operation costs ${cost}, and ${remaining} of ${limit} are left`;
  return rateLimited(what, resetAtMs, { cost, remaining, limit });
}
