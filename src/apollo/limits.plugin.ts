import type { ApolloServerPlugin } from '@apollo/server';
import { GraphQLError } from 'graphql';
import { Role } from '../auth/caller.ts';
import { spent } from '../budget/spent.ts';
import type { LimitsConfig } from '../config/config.ts';
import type { RequestContext } from '../context/request-context.ts';
import { badRequest, clientError, ErrorCode } from '../errors.ts';
import { OPERATION_POINTS } from '../graphql/complexity.ts';
import { isIntrospection } from '../graphql/document-extent.ts';
import { knownFailure } from '../tenancy/known-failure.ts';
import { coercedVariables } from './coerced-variables.ts';
import { OperationCosts } from './operation-costs.ts';
import {
  type KnownSize,
  type OperationPrice,
  operationPrice,
  type PricedOperation,
  pointsOf,
} from './operation-price.ts';

/**
 * Before anything is executed: a bounded cost, and a budget per minute of the caller and of the
 * tenant. What every operation costs was taken before it came here, and pays for those that are
 * refused, too, and for introspection, whose cost is bounded by the schema and by its own size.
 */
export function limitsPlugin(limits: LimitsConfig): ApolloServerPlugin<RequestContext> {
  const prices = new OperationCosts<OperationPrice>(({ dependsOnTexts }) => dependsOnTexts);
  return {
    async requestDidStart({ contextValue: { caller }, contextValue }) {
      if (caller) contextValue.cost = OPERATION_POINTS;
      return {
        async didResolveOperation({ schema, document, operation, request, contextValue }) {
          if (!operation) return; // Apollo answers itself
          const { caller, services, isReadOnly } = contextValue;
          if (isReadOnly && operation.operation !== 'query') throw onlyQueries(operation.operation);
          const introspects = isIntrospection(document, operation);
          if (operation.operation === 'subscription')
            throw refused(ErrorCode.BadUserInput, 'There are no subscriptions.');
          const variables = request.variables ?? {};
          const coerced = () => coercedVariables(schema, operation.variableDefinitions ?? [], variables);
          const price = prices.of(operation, variables, () => {
            const sound = coerced();
            return sound && priceOf({ schema, document, operation, variables, coerced: sound });
          });
          // The execution says what is wrong with the variables, and does nothing else.
          if (price === undefined || !caller || introspects) return;
          const size = price.scans.length > 0 ? await sizeOf(contextValue, price) : undefined;
          const cost = pointsOf(price, size, limits.searches);
          // A remembered price may belong to variables whose strings are invalid; let the execution
          // report that instead of the price.
          const most = Math.min(limits.operationCost, services.budget.most(caller));
          if (cost > most && !coerced()) return;
          if (cost > most) throw tooComplex(cost, most);
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
    if (error instanceof GraphQLError) throw refused(ErrorCode.BadUserInput, error.message);
    throw error;
  }
}

/** Of the caller's tenant. Not for the request: others of the tenant wait for it too. */
async function sizeOf({ caller, services }: RequestContext, { scans }: OperationPrice): Promise<Partial<KnownSize>> {
  const { tenantSizes } = services;
  const seesAll = caller?.role === Role.OPERATOR && scans.some(({ of }) => of === 'usage');
  try {
    const tenants = seesAll ? await tenantSizes.number() : 1;
    return { tenants, ...(caller?.tenant && (await tenantSizes.of(caller.tenant.scope))) };
  } catch (error) {
    throw knownFailure(error) ?? error;
  }
}

function tooComplex(cost: number, limit: number): GraphQLError {
  return refused(
    ErrorCode.TooComplex,
    `The operation costs ${cost} points; at most ${limit} are allowed. Ask for smaller pages (first, last, pageSize, limit, days), for fewer fields below lists, for counts without a filter, or split it.`,
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
