import type { ApolloServerPlugin } from '@apollo/server';
import { type DocumentNode, GraphQLError, type GraphQLSchema, getVariableValues } from 'graphql';
import { fieldExtensionsEstimator, getComplexity, simpleEstimator } from 'graphql-query-complexity';
import { spent } from '../budget/spent.ts';
import type { LimitsConfig } from '../config.ts';
import type { RequestContext } from '../context/request-context.ts';
import { badRequest, clientError, ErrorCode } from '../errors.ts';
import { isIntrospection } from './document-extent.ts';
import { OperationCosts } from './operation-costs.ts';

const ESTIMATORS = [fieldExtensionsEstimator(), simpleEstimator({ defaultComplexity: 1 })];

/** A document has no more: `Documents` refused it. */
const MAX_NODES = 10_001;

/**
 * Before anything is executed: a bounded cost, and a budget per minute of the caller and of the tenant. Introspection is free: what it can cost is
 * bounded by the schema and by its own size.
 */
export function limitsPlugin(limits: LimitsConfig): ApolloServerPlugin<RequestContext> {
  const costs = new OperationCosts();
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ schema, document, operation, request, contextValue }) {
          if (!operation) return; // Apollo answers itself
          const { caller, services, isReadOnly } = contextValue;
          if (isReadOnly && operation.operation !== 'query') throw onlyQueries(operation.operation);
          const introspects = isIntrospection(document, operation);
          if (operation.operation === 'subscription')
            throw refused(ErrorCode.BadUserInput, 'There are no subscriptions.');
          const variables = request.variables ?? {};
          const isSound = () => !getVariableValues(schema, operation.variableDefinitions ?? [], variables).errors;
          const cost = costs.of(operation, variables, () =>
            isSound() ? costOf(schema, document, request.operationName, variables) : undefined,
          );
          // The execution says what is wrong with the variables, and does nothing else.
          if (cost === undefined || !caller || introspects) return;
          // A known cost is that of the variables' form: their texts may be wrong.
          if (cost > limits.operationCost && !isSound()) return;
          if (cost > limits.operationCost) throw tooComplex(cost, limits.operationCost);
          const asked = services.budget.spend(caller, cost);
          // A promise only where Redis must be asked.
          const refusal = asked instanceof Promise ? await asked : asked;
          if (refusal) throw spent(refusal);
          contextValue.cost = cost;
        },
      };
    },
  };
}

/** @throws BAD_USER_INPUT for arguments that only their variables make wrong, such as null where none may be */
function costOf(
  schema: GraphQLSchema,
  query: DocumentNode,
  operationName: string | undefined,
  variables: Record<string, unknown>,
): number {
  const options = { schema, query, variables, estimators: ESTIMATORS, maxQueryNodes: MAX_NODES };
  try {
    return getComplexity({ ...options, ...(operationName && { operationName }) });
  } catch (error) {
    if (error instanceof GraphQLError) throw refused(ErrorCode.BadUserInput, error.message);
    throw error;
  }
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
