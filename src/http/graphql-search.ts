import type { GraphqlRequest } from '../cache/cacheable-operations.ts';

/** The request that a GET carries in its search parameters. @returns null when they are not JSON where they must be */
export function parseSearch(search: unknown): GraphqlRequest | null {
  const { query, operationName, variables, extensions } = search as Record<string, string | undefined>;
  try {
    return {
      ...(query !== undefined && { query }),
      ...(operationName && { operationName }),
      ...(variables && { variables: JSON.parse(variables) }),
      ...(extensions && { extensions: JSON.parse(extensions) }),
    };
  } catch {
    return null; // Apollo Server tells the client which of them is wrong
  }
}
