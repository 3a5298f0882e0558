import {
  type DocumentNode,
  type FieldNode,
  GraphQLError,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isLeafType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
  type VariableDefinitionNode,
} from 'graphql';
import { collectFields, collectSubfields } from 'graphql/execution/collectFields.js';
import { type Fragments, fragmentsOf, visitSpread } from '../graphql/fragments.ts';

/** Fields of a settled operation: the compiler writes out each of them, some 0.1 ms apiece. */
const MAX_FIELDS = 300;

type Values = Readonly<Record<string, unknown>>;
type Collected = ReadonlyMap<string, readonly FieldNode[]>;
/** The nodes of each response name. */
type Settled = readonly (readonly FieldNode[])[];

export interface SettledOperation {
  /** A document for each root field. */
  readonly fields: readonly DocumentNode[];
  /** How many fields they have. */
  readonly size: number;
}

/** The definitions of the variables that decide what is selected: those in @skip and @include. */
export function decidingVariables(
  document: DocumentNode,
  operation: OperationDefinitionNode,
): readonly VariableDefinitionNode[] {
  const names = new Set<string>();
  visitSpread(operation, fragmentsOf(document), {
    Directive({ arguments: given = [] }) {
      for (const { value } of given) if (value.kind === Kind.VARIABLE) names.add(value.name.value);
    },
  });
  return operation.variableDefinitions?.filter(({ variable }) => names.has(variable.name.value)) ?? [];
}

/**
 * A query with what its variables decide about its selection decided: without fragments and
 * directives, each response name once in the order of the answer. It is collected by graphql-js
 * itself, so that it selects what graphql-js does.
 * @param values of the deciding variables, as graphql-js coerces them
 * @returns undefined for what graphql-js executes: too many
 *   fields, introspection, objects of which nothing is selected, interfaces and unions, and
 *   conditions that are neither true nor false
 */
export function settledOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  values: Values,
): SettledOperation | undefined {
  const type = schema.getQueryType();
  if (!type || operation.operation !== 'query') return undefined;
  try {
    const settling = new Settling(schema, fragmentsOf(document), values);
    const fields = settling.rootFields(type, operation.selectionSet)?.map((nodes): DocumentNode => {
      const selectionSet = { kind: Kind.SELECTION_SET, selections: nodes } as const;
      return { kind: Kind.DOCUMENT, definitions: [{ ...operation, directives: [], selectionSet }] };
    });
    return fields && { fields, size: settling.size };
  } catch (error) {
    if (error instanceof GraphQLError) return undefined;
    throw error;
  }
}

class Settling {
  #left = MAX_FIELDS;

  constructor(
    private readonly schema: GraphQLSchema,
    private readonly fragments: Fragments,
    private readonly values: Values,
  ) {}

  get size(): number {
    return MAX_FIELDS - this.#left;
  }

  rootFields(type: GraphQLObjectType, set: SelectionSetNode): Settled | undefined {
    return this.#settled(type, collectFields(this.schema, this.fragments, this.values, type, set));
  }

  #settled(type: GraphQLObjectType, collected: Collected): Settled | undefined {
    const settled: (readonly FieldNode[])[] = [];
    for (const nodes of collected.values()) {
      this.#left -= nodes.length;
      const fields = this.#left < 0 ? undefined : this.#field(type, nodes);
      if (!fields) return undefined;
      settled.push(fields);
    }
    return settled.length > 0 ? settled : undefined;
  }

  /**
   * The first node has all that is selected below; the others stay, for errors name the places of
   * all.
   */
  #field(type: GraphQLObjectType, nodes: readonly FieldNode[]): readonly FieldNode[] | undefined {
    const [first, ...others] = nodes.map(({ selectionSet: _, ...node }): FieldNode => ({ ...node, directives: [] }));
    if (!first || first.name.value === '__typename') return first && [first, ...others];
    const field = type.getFields()[first.name.value];
    const below = field && getNamedType(field.type);
    if (isLeafType(below)) return [first, ...others];
    if (!isObjectType(below)) return undefined;
    const subfields = collectSubfields(this.schema, this.fragments, this.values, below, nodes);
    const selections = this.#settled(below, subfields)?.flat();
    return selections && [{ ...first, selectionSet: { kind: Kind.SELECTION_SET, selections } }, ...others];
  }
}
