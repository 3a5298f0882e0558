import type { GraphQLError } from 'graphql';
import { clientError, ErrorCode } from '../errors.ts';

/**
 * Sums that are told together at most, such as one for each bucket, category and currency. Clients
 * write names as they like, and every sum keeps the process busy.
 */
export const MAX_SUMS = 10_000;

/**
 * @param what such as `These statistics have`
 * @param each what there is a sum for
 * @param remedy what to ask for instead
 */
export function tooManySums(what: string, each: string, remedy: string): GraphQLError {
  const message = `${what} more than ${MAX_SUMS} sums, one for each ${each}. ${remedy}.`;
  return clientError(ErrorCode.TooComplex, message, { limit: MAX_SUMS });
}
