import type { OperationDefinitionNode } from 'graphql';

/** Of one operation; then it begins anew. */
const MAX_FORMS = 50;
/** In characters. Larger ones are long inputs of mutations, whose form does not come again. */
const MAX_FORM_LENGTH = 1_000;

type Variables = Readonly<Record<string, unknown>>;

interface KnownCosts<Cost> {
  readonly byForm: Map<string, Cost>;
  /** Whether texts belong to the form. */
  withTexts: boolean;
}

/**
 * What operations cost with variables of a form: with the same numbers and truths, and lists of the
 * same lengths. The rest of them, such as ids and amounts, changes no cost, unless a cost says so.
 * Reckoning takes longer than all else before an execution.
 */
export class OperationCosts<Cost> {
  /** Apollo Server hands out the same node for the same text; it goes with its document. */
  readonly #costs = new WeakMap<OperationDefinitionNode, KnownCosts<Cost>>();

  /** @param dependsOnTexts whether another text, such as a day, may have another cost */
  constructor(private readonly dependsOnTexts: (cost: Cost) => boolean = () => false) {}

  /**
   * @param reckon called for what is not known yet; undefined, or what it throws, is not remembered
   */
  of(operation: OperationDefinitionNode, variables: Variables, reckon: () => Cost | undefined): Cost | undefined {
    const costs = this.#costs.get(operation) ?? { byForm: new Map<string, Cost>(), withTexts: false };
    const form = formOf(variables, costs.withTexts);
    const known = form === undefined ? undefined : costs.byForm.get(form);
    if (known !== undefined) return known;
    const cost = reckon();
    if (cost === undefined) return cost;
    this.#costs.set(operation, costs);
    if (!costs.withTexts && this.dependsOnTexts(cost)) {
      costs.withTexts = true;
      costs.byForm.clear();
      remember(costs, formOf(variables, true), cost);
    } else remember(costs, form, cost);
    return cost;
  }
}

function remember<Cost>({ byForm }: KnownCosts<Cost>, form: string | undefined, cost: Cost): void {
  if (form === undefined || form.length > MAX_FORM_LENGTH) return;
  if (byForm.size === MAX_FORMS) byForm.clear();
  byForm.set(form, cost);
}

/**
 * The variables with every string blanked: numbers, booleans, nulls and list lengths decide a cost,
 * strings do not.
 * @param withTexts whether strings decide, too
 * @returns undefined for variables that are nested too deep to be written
 */
function formOf(variables: Variables, withTexts: boolean): string | undefined {
  const written = (_name: string, value: unknown) => (typeof value === 'string' ? '' : value);
  try {
    return JSON.stringify(variables, withTexts ? undefined : written);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}
