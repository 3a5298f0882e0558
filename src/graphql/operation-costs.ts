import type { OperationDefinitionNode } from 'graphql';

/** Of one operation; then it begins anew. */
const MAX_FORMS = 50;
/** In characters. Larger ones are long inputs of mutations, whose form does not come again. */
const MAX_FORM_LENGTH = 1_000;

type Variables = Readonly<Record<string, unknown>>;

/**
 * What operations cost with variables of a form: with the same numbers and truths, and lists of the same lengths. The rest
 * of them, such as ids, days and amounts, changes no cost. Reckoning takes longer than all else before an execution.
 */
export class OperationCosts {
  /** Apollo Server hands out the same node for the same text; it goes with its document. */
  readonly #costs = new WeakMap<OperationDefinitionNode, Map<string, number>>();

  /** @param reckon called for what is not known yet; undefined, or what it throws, is not remembered */
  of(operation: OperationDefinitionNode, variables: Variables, reckon: () => number | undefined): number | undefined {
    const costs = this.#costs.get(operation) ?? new Map<string, number>();
    const form = formOf(variables);
    const known = form === undefined ? undefined : costs.get(form);
    if (known !== undefined) return known;
    const cost = reckon();
    if (cost === undefined || form === undefined || form.length > MAX_FORM_LENGTH) return cost;
    if (costs.size === MAX_FORMS) costs.clear();
    this.#costs.set(operation, costs.set(form, cost));
    return cost;
  }
}

/** @returns undefined for variables that are nested too deep to be written */
function formOf(variables: Variables): string | undefined {
  try {
    return JSON.stringify(variables, (_name, value) => (typeof value === 'string' ? '' : value));
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
