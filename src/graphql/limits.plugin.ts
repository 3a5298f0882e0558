import type { ApolloServerPlugin } from '@apollo/server';
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getVariableValues,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { fieldExtensionsEstimator, getComplexity, simpleEstimator } from 'graphql-query-complexity';
import type { LimitsConfig } from '../config.ts';
import { callerKey } from '../context/caller.ts';
import type { RequestContext } from '../context/request-context.ts';
import { badRequest, clientError, ErrorCode, rateLimited, unauthenticated } from '../errors.ts';
import { OperationCosts } from './operation-costs.ts';

const ESTIMATORS = [fieldExtensionsEstimator(), simpleEstimator({ defaultComplexity: 1 })];

/** Selections of one operation with its fragments spread: fragments within fragments can make billions of a short text. */
const MAX_SELECTIONS = 10_000;
/** An introspection query of the usual tools has about a hundred. */
const MAX_INTROSPECTION_SELECTIONS = 500;

/** How large an operation is once its fragments are spread. */
interface Extent {
  readonly depth: number;
  readonly selections: number;
}

/**
 * Before anything is executed: only introspection without a token, a bounded depth and cost, and a budget per caller
 * and minute. Introspection is free: what it can cost is bounded by the schema and by its own size.
 */
export function limitsPlugin(limits: LimitsConfig): ApolloServerPlugin<RequestContext> {
  const costs = new OperationCosts();
  /** By the operation's node: Apollo Server hands out the same one, of the same document, for the same text. */
  const extents = new WeakMap<OperationDefinitionNode, Extent>();
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ schema, document, operation, request, contextValue }) {
          if (!operation) return; // Apollo answers itself
          const { caller, services, isReadOnly } = contextValue;
          if (isReadOnly && operation.operation !== 'query') throw onlyQueries(operation.operation);
          const introspects = isIntrospection(operation);
          if (!caller && !introspects) throw unauthenticated();
          if (operation.operation === 'subscription')
            throw refused(ErrorCode.BadUserInput, 'There are no subscriptions.');
          const extent = extents.get(operation) ?? extentOf(document, operation);
          extents.set(operation, extent);
          const { depth, selections } = extent;
          checkSelections(selections, introspects ? MAX_INTROSPECTION_SELECTIONS : MAX_SELECTIONS);
          if (!introspects) checkDepth(depth, limits.depth);
          const variables = request.variables ?? {};
          const cost = costs.of(operation, variables, () => {
            const isSound = !getVariableValues(schema, operation.variableDefinitions ?? [], variables).errors;
            return isSound ? costOf(schema, document, request.operationName, variables) : undefined;
          });
          // The execution says what is wrong with the variables, and does nothing else.
          if (cost === undefined || !caller || introspects) return;
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

/** @throws BAD_USER_INPUT for arguments that only their variables make wrong, such as null where none may be */
function costOf(
  schema: GraphQLSchema,
  query: DocumentNode,
  operationName: string | undefined,
  variables: Record<string, unknown>,
): number {
  const options = { schema, query, variables, estimators: ESTIMATORS, maxQueryNodes: MAX_SELECTIONS + 1 };
  try {
    return getComplexity({ ...options, ...(operationName && { operationName }) });
  } catch (error) {
    if (error instanceof GraphQLError) throw refused(ErrorCode.BadUserInput, error.message);
    throw error;
  }
}

/** Reads each fragment once, however often it is spread. */
function extentOf(document: DocumentNode, operation: OperationDefinitionNode): Extent {
  const fragments = new Map(
    document.definitions.flatMap((part) =>
      part.kind === 'FragmentDefinition' ? [[part.name.value, part.selectionSet] as const] : [],
    ),
  );
  const known = new Map<string, Extent>();
  const ofFragment = (name: string): Extent => {
    const extent = known.get(name) ?? ofSet(fragments.get(name));
    known.set(name, extent);
    return extent;
  };
  const ofSet = (set: SelectionSetNode | undefined): Extent => {
    let [depth, selections] = [0, 0];
    for (const selection of set?.selections ?? []) {
      const below =
        selection.kind === 'FragmentSpread' ? ofFragment(selection.name.value) : ofSet(selection.selectionSet);
      depth = Math.max(depth, below.depth + (selection.kind === 'Field' ? 1 : 0));
      selections += below.selections + 1;
    }
    return { depth, selections };
  };
  return ofSet(operation.selectionSet);
}

function checkSelections(selections: number, limit: number): void {
  if (selections > limit)
    throw refused(
      ErrorCode.TooComplex,
      `The operation selects ${selections} fields and fragments, those within fragments counted at each spread; at most ${limit} are allowed. Ask for fewer, or split it.`,
      { cost: selections, limit },
    );
}

function checkDepth(depth: number, limit: number): void {
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

function onlyQueries(kind: string): GraphQLError {
  const message = `GET requests only support query operations, not ${kind} operations; send it by POST.`;
  return badRequest(message, 405, ['allow', 'POST']);
}

function refused(code: ErrorCode, message: string, numbers: Record<string, number> = {}): GraphQLError {
  return clientError(code, message, { ...numbers, http: { status: 400 } });
}
