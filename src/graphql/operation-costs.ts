import type { OperationDefinitionNode } from 'graphql';

/** Of one operation; then it begins anew. Operations whose variables are ids gain nothing and lose little. */
const MAX_VARIABLES = 50;
/** In characters. Larger variables are inputs of mutations, which do not come again. */
const MAX_VARIABLES_LENGTH = 500;

type Variables = Readonly<Record<string, unknown>>;

/** What operations cost with their variables. Reckoning it takes longer than all else before a query is executed. */
export class OperationCosts {
  /** Apollo Server hands out the same node for the same text; it goes with its document. */
  readonly #costs = new WeakMap<OperationDefinitionNode, Map<string, number>>();

  /** @param reckon called for what is not known yet; undefined, or what it throws, is not remembered */
  of(operation: OperationDefinitionNode, variables: Variables, reckon: () => number | undefined): number | undefined {
    const costs = this.#costs.get(operation) ?? new Map<string, number>();
    const key = textOf(variables);
    const known = key === undefined ? undefined : costs.get(key);
    if (known !== undefined) return known;
    const cost = reckon();
    if (cost === undefined || key === undefined || key.length > MAX_VARIABLES_LENGTH) return cost;
    if (costs.size === MAX_VARIABLES) costs.clear();
    this.#costs.set(operation, costs.set(key, cost));
    return cost;
  }
}

/** @returns undefined for variables that are nested too deep to be written */
function textOf(variables: Variables): string | undefined {
  try {
    return JSON.stringify(variables);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
