import type { GraphQLError } from 'graphql';
import { rateLimited } from '../errors.ts';
import type { Refusal } from './budget.ts';

/** The same for an answer that would be computed and for one that lies ready. */
export function spent({ of, allowance }: Refusal): GraphQLError {
  const whose = of === 'caller' ? 'The points of this minute' : "The tenant's points of this minute";
  return rateLimited(`${whose} are spent`, allowance.resetAtMs);
}
