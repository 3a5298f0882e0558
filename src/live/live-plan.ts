import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLSchema,
  getArgumentValues,
  Kind,
  type OperationDefinitionNode,
  print,
  specifiedRules,
  validate,
  visit,
} from 'graphql';
import { badRequest, clientError, ErrorCode, httpHead } from '../errors.ts';
import { withoutSuggestion } from '../graphql/format-error.ts';
import { fragmentsOf } from '../graphql/fragments.ts';
import { nestingRule } from '../graphql/nesting-rule.ts';

/** The query that computes the value of a subscription. */
const QUERIES: Readonly<Record<string, string>> = { dashboardChanged: 'dashboard', accountChanged: 'account' };
const AFTER = 'after';

/** What a document of a subscription asks for, whatever the variables are. */
export interface LivePlan {
  /** The only root field. */
  readonly field: FieldNode;
  /** Absent for `changes`, which no query computes. */
  readonly query: ValueQuery | undefined;
}

export interface ValueQuery {
  /** Subscribers of the same selection have the same text, wherever they go on from. */
  readonly text: string;
  /** The variables that it has. */
  readonly variables: ReadonlySet<string>;
}

/** Reads and validates subscriptions, each document once. */
export class LivePlans {
  readonly #known = new WeakMap<OperationDefinitionNode, LivePlan>();

  /** @param suggests whether errors may name parts of the schema that were not asked for */
  constructor(
    private readonly schema: GraphQLSchema,
    private readonly suggests: boolean,
  ) {}

  /**
   * @param onNew called before a document is validated
   * @throws GRAPHQL_VALIDATION_FAILED with everything that is wrong with it
   */
  of(document: DocumentNode, operation: OperationDefinitionNode, onNew: () => void): LivePlan {
    const known = this.#known.get(operation);
    if (known) return known;
    onNew();
    const [error] = validate(this.schema, document, [nestingRule, ...specifiedRules], { maxErrors: 1 });
    if (error) throw this.#refused(error);
    const [field] = operation.selectionSet.selections;
    if (operation.selectionSet.selections.length !== 1 || field?.kind !== Kind.FIELD || field.directives?.length)
      throw badRequest('A subscription selects one field, without a fragment or a directive around it.');
    const name = QUERIES[field.name.value];
    const plan = { field, query: name === undefined ? undefined : valueQuery(document, operation, field, name) };
    this.#known.set(operation, plan);
    return plan;
  }

  /** The arguments of the root field. */
  argumentsOf({ field }: LivePlan, variables: Readonly<Record<string, unknown>>): Record<string, unknown> {
    const definition = this.schema.getSubscriptionType()?.getFields()[field.name.value];
    if (!definition) throw new Error('a validated subscription has no such field');
    return getArgumentValues(definition, field, variables);
  }

  #refused(error: GraphQLError): GraphQLError {
    const { message } = this.suggests ? error : withoutSuggestion(error);
    const code = (error.extensions.refusedAs as ErrorCode | undefined) ?? 'GRAPHQL_VALIDATION_FAILED';
    return clientError(code as ErrorCode, message, { http: httpHead(400) });
  }
}

/** The same selection as a query whose answer has the same form. */
function valueQuery(
  document: DocumentNode,
  operation: OperationDefinitionNode,
  field: FieldNode,
  name: string,
): ValueQuery {
  const asked: FieldNode = {
    ...field,
    alias: field.alias ?? field.name,
    name: { kind: Kind.NAME, value: name },
    arguments: (field.arguments ?? []).filter((argument) => argument.name.value !== AFTER),
  };
  const fragments = spreadIn(document, asked);
  const variables = new Set<string>();
  for (const part of [asked, ...fragments])
    visit(part, { Variable: (variable) => void variables.add(variable.name.value) });
  const query: OperationDefinitionNode = {
    ...operation,
    operation: 'query' as OperationDefinitionNode['operation'],
    directives: [],
    variableDefinitions: (operation.variableDefinitions ?? []).filter(({ variable }) =>
      variables.has(variable.name.value),
    ),
    selectionSet: { kind: Kind.SELECTION_SET, selections: [asked] },
  };
  return { text: print({ kind: Kind.DOCUMENT, definitions: [query, ...fragments] }), variables };
}

/** The fragments that a field spreads, those within them included. */
function spreadIn(document: DocumentNode, field: FieldNode): FragmentDefinitionNode[] {
  const all = fragmentsOf(document);
  const found = new Map<string, FragmentDefinitionNode>();
  const look = (node: FieldNode | FragmentDefinitionNode): void => {
    visit(node, {
      FragmentSpread({ name: { value } }) {
        const fragment = all[value];
        if (!fragment || found.has(value)) return;
        found.set(value, fragment);
        look(fragment);
      },
    });
  };
  look(field);
  return [...found.values()];
}
