import type { ApolloServerPlugin } from '@apollo/server';
import { GraphQLError, type GraphQLSchema, type OperationDefinitionNode } from 'graphql';
import { may } from '../auth/permissions.ts';
import { spent } from '../budget/spent.ts';
import type { LimitsConfig } from '../config/config.ts';
import type { RequestContext } from '../context/request-context.ts';
import { badRequest, ErrorCode, operationRefused } from '../errors.ts';
import { isIntrospection } from '../graphql/document-extent.ts';
import { tokensOf } from '../graphql/documents.ts';
import { ERROR_POINTS, NEW_TOKEN_POINTS, OPERATION_POINTS } from '../graphql/prices.ts';
import { knownFailure } from '../tenancy/known-failure.ts';
import { coercedVariables } from './coerced-variables.ts';
import { WHOLE_SCHEMA } from './introspection-cost.ts';
import { OperationCosts } from './operation-costs.ts';
import {
  type KnownSize,
  type OperationPrice,
  operationPrice,
  type PricedOperation,
  pointsOf,
  searchedLists,
  searches,
} from './operation-price.ts';

const SUBSCRIBE =
  'A subscription is answered by events: send it with "accept: text/event-stream", or by WebSocket ' +
  '(graphql-transport-ws) to the same address.';

/** How often an introspection may show the whole schema. */
const WHOLE_SCHEMAS = 2;

/**
 * Before anything is executed: a bounded cost, and a budget per minute of the caller and of the
 * tenant. What every operation costs was taken before it came here, and pays for those that are
 * refused, too. Without a token only introspection comes here; all who send none share a budget.
 */
export function limitsPlugin(limits: LimitsConfig): ApolloServerPlugin<RequestContext> {
  const prices = new OperationCosts<OperationPrice>(({ dependsOnTexts }) => dependsOnTexts);
  return {
    async requestDidStart({ contextValue }) {
      contextValue.cost = OPERATION_POINTS;
      return {
        // Apollo Server remembers what it has validated.
        async validationDidStart({ source, contextValue }) {
          contextValue.charge(tokensOf(source) * NEW_TOKEN_POINTS);
        },
        async willSendResponse({ response, contextValue }) {
          const { length = 0 } = (response.body.kind === 'single' && response.body.singleResult.errors) || [];
          contextValue.charge(Math.max(0, length - 1) * ERROR_POINTS);
        },
        async didResolveOperation({ schema, document, operation, request, contextValue }) {
          if (!operation) return; // Apollo answers itself
          const { caller, services, isReadOnly } = contextValue;
          if (operation.operation === 'subscription') throw operationRefused(ErrorCode.BadRequest, SUBSCRIBE);
          if (isReadOnly && operation.operation !== 'query') throw onlyQueries(operation.operation);
          const introspects = isIntrospection(document, operation);
          const variables = request.variables ?? {};
          const coerced = () => coercedVariables(schema, operation.variableDefinitions ?? [], variables);
          const price = prices.of(operation, variables, () => {
            const sound = coerced();
            return sound && priceOf({ schema, document, operation, variables, coerced: sound });
          });
          // The execution says what is wrong with the variables, and does nothing else.
          if (price === undefined) return;
          if (introspects) checkIntrospection(price, schema);
          contextValue.timing.searches = searches(price);
          const size = price.scans.length > 0 ? await sizeOf(contextValue, price) : undefined;
          const cost = pointsOf(price, size, limits.searches);
          // A remembered price may belong to variables whose strings are invalid; let the execution
          // report that instead of the price.
          const most = Math.min(introspects ? Infinity : limits.operationCost, services.budget.most(caller));
          if (cost > most && !coerced()) return;
          if (cost > most) throw tooComplex(cost, most, searchedLists(price));
          const asked = services.budget.spend(caller, cost - OPERATION_POINTS);
          // A promise only where Redis must be asked.
          const refusal = asked instanceof Promise ? await asked : asked;
          if (refusal) throw spent(refusal, cost);
          contextValue.cost = cost;
        },
      };
    },
  };
}

/**
 * @throws BAD_USER_INPUT for arguments that only their variables make wrong, such as null where
 *   none may be
 */
function priceOf(asked: PricedOperation): OperationPrice {
  try {
    return operationPrice(asked);
  } catch (error) {
    if (error instanceof GraphQLError) throw operationRefused(ErrorCode.BadUserInput, error.message);
    throw error;
  }
}

const introspectionLimits = new WeakMap<GraphQLSchema, number>();

function introspectionLimit(schema: GraphQLSchema): number {
  const known = introspectionLimits.get(schema) ?? WHOLE_SCHEMAS * priceOfWhole(schema);
  introspectionLimits.set(schema, known);
  return known;
}

function priceOfWhole(schema: GraphQLSchema): number {
  const [operation] = WHOLE_SCHEMA.definitions as readonly OperationDefinitionNode[];
  if (!operation) throw new Error('the introspection of the whole schema has no operation');
  return operationPrice({ schema, document: WHOLE_SCHEMA, operation, variables: {}, coerced: {} }).points;
}

/** @throws QUERY_TOO_COMPLEX for one that shows much more than the whole schema once */
function checkIntrospection({ points }: OperationPrice, schema: GraphQLSchema): void {
  const limit = introspectionLimit(schema);
  if (points > limit)
    throw operationRefused(
      ErrorCode.TooComplex,
      `The introspection costs ${points} points; at most ${limit} are allowed, ${WHOLE_SCHEMAS} times what the whole schema costs. Ask for fewer types and fields within one another.`,
      { cost: points, limit },
    );
}

/** Of the caller's tenant. Not for the request: others of the tenant wait for it too. */
async function sizeOf({ caller, services }: RequestContext, { scans }: OperationPrice): Promise<Partial<KnownSize>> {
  const { tenantSizes } = services;
  const seesAll = may(caller, 'seeAllTenants') && scans.some(({ of }) => of === 'usage');
  try {
    const tenants = seesAll ? await tenantSizes.number() : 1;
    return { tenants, ...(caller?.tenant && (await tenantSizes.of(caller.tenant.scope))) };
  } catch (error) {
    throw knownFailure(error) ?? error;
  }
}

function tooComplex(cost: number, limit: number, searched: readonly string[]): GraphQLError {
  const lists = searched.join(' and ');
  const search = lists
    ? ` It reads ${lists} one by one: their filter and orderBy have no index together, or totalCount counts them; filter by what orderBy sorts by, or leave the count out.`
    : '';
  return operationRefused(
    ErrorCode.TooComplex,
    `The operation costs ${cost} points; at most ${limit} are allowed. Ask for smaller pages (first, last, pageSize, limit, days), for fewer fields below lists, for counts without a filter, or split it.${search}`,
    { cost, limit },
  );
}

function onlyQueries(kind: string): GraphQLError {
  const message = `GET requests only support query operations, not ${kind} operations; send it by POST.`;
  return badRequest(message, 405, ['allow', 'POST']);
}
