import type { ApolloServerPlugin } from '@apollo/server';
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { fieldExtensionsEstimator, getComplexity, simpleEstimator } from 'graphql-query-complexity';
import type { LimitsConfig } from '../config.ts';
import { callerKey } from '../context/caller.ts';
import type { RequestContext } from '../context/request-context.ts';
import { clientError, ErrorCode, rateLimited, unauthenticated } from '../errors.ts';

const ESTIMATORS = [fieldExtensionsEstimator(), simpleEstimator({ defaultComplexity: 1 })];

/**
 * Before anything is executed: only introspection without a token, a bounded depth and cost, and a budget per caller
 * and minute. Introspection is free: what it can cost is bounded by the schema.
 */
export function limitsPlugin(limits: LimitsConfig): ApolloServerPlugin<RequestContext> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ schema, document, operation, request, contextValue }) {
          if (!operation || isIntrospection(operation)) return; // without one Apollo answers itself
          const { caller, services } = contextValue;
          if (!caller) throw unauthenticated();
          checkDepth(document, operation, limits.depth);
          const cost = costOf(schema, document, request.operationName, request.variables ?? {});
          if (cost > limits.operationCost) throw tooComplex(cost, limits.operationCost);
          contextValue.cost = cost;
          if (!services.rateLimiter.spend(callerKey(caller), cost))
            throw rateLimited(
              'The points of this minute are spent (the query rateLimit shows them)',
              services.rateLimiter.allowance(callerKey(caller)).resetAtMs,
            );
        },
      };
    },
  };
}

function isIntrospection({ selectionSet }: OperationDefinitionNode): boolean {
  return selectionSet.selections.every(
    (selection) => selection.kind === 'Field' && selection.name.value.startsWith('__'),
  );
}

function costOf(
  schema: GraphQLSchema,
  query: DocumentNode,
  operationName: string | undefined,
  variables: Record<string, unknown>,
): number {
  return getComplexity({ schema, query, variables, estimators: ESTIMATORS, ...(operationName && { operationName }) });
}

function checkDepth(document: DocumentNode, operation: OperationDefinitionNode, limit: number): void {
  const fragments = new Map(
    document.definitions.flatMap((part) =>
      part.kind === 'FragmentDefinition' ? [[part.name.value, part] as const] : [],
    ),
  );
  const depthOf = (set: SelectionSetNode | undefined): number =>
    Math.max(
      0,
      ...(set?.selections.map((selection) => {
        if (selection.kind === 'Field') return 1 + depthOf(selection.selectionSet);
        if (selection.kind === 'InlineFragment') return depthOf(selection.selectionSet);
        return depthOf(fragments.get(selection.name.value)?.selectionSet);
      }) ?? []),
    );
  const depth = depthOf(operation.selectionSet);
  if (depth > limit)
    throw refused(
      ErrorCode.TooDeep,
      `The operation is ${depth} levels deep; at most ${limit} are allowed. Ask for the inner parts by operations of their own.`,
      { depth, limit },
    );
}

function tooComplex(cost: number, limit: number): GraphQLError {
  return refused(
    ErrorCode.TooComplex,
    `The operation costs ${cost} points; at most ${limit} are allowed. Ask for smaller pages (first, last, pageSize, limit, days), for fewer fields below lists, or split it.`,
    { cost, limit },
  );
}

function refused(code: ErrorCode, message: string, numbers: Record<string, number>): GraphQLError {
  return clientError(code, message, { ...numbers, http: { status: 400 } });
}
