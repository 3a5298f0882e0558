import {
  BREAK,
  type FieldNode,
  type GraphQLField,
  type GraphQLResolveInfo,
  getArgumentValues,
  getNamedType,
  isObjectType,
} from 'graphql';
import { collectSubfields } from 'graphql/execution/collectFields.js';
import { visitSpread } from './fragments.ts';

/** One selected field: an alias is an entry of its own. */
export interface SelectedField {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly fields: readonly SelectedField[];
  /** What the schema says of the field, its extensions included. */
  readonly definition: GraphQLField<unknown, unknown>;
}

/**
 * What the operation selects below the field being resolved, collected as the execution collects
 * it. Resolvers look ahead with it, to read only what is asked for.
 */
export function selectedFields(info: GraphQLResolveInfo): readonly SelectedField[] {
  const { fieldNodes, returnType } = info;
  const [node, ...others] = fieldNodes;
  if (!node || others.some(({ selectionSet }) => selectionSet)) return below(info, fieldNodes, returnType);
  const known = constantSelections.get(node);
  if (known) return known;
  const found = below(info, fieldNodes, returnType);
  if (known === undefined) constantSelections.set(node, usesVariables(info, node) ? null : found);
  return found;
}

/**
 * What is selected below a field whatever the variables are; null where they decide. Documents that
 * come again share their nodes.
 */
const constantSelections = new WeakMap<FieldNode, readonly SelectedField[] | null>();

/**
 * The field being resolved with its selection, looked at once for all rows of a list: they share
 * their field nodes.
 * @param request an object that lives as long as the variables hold
 */
export function selectionOf(info: GraphQLResolveInfo, request: object): SelectedField {
  const known = selections.get(request) ?? new Map<readonly FieldNode[], SelectedField>();
  const selection = known.get(info.fieldNodes) ?? fieldOf(info);
  selections.set(request, known.set(info.fieldNodes, selection));
  return selection;
}

const selections = new WeakMap<object, Map<readonly FieldNode[], SelectedField>>();

/** The fields selected at a path below, for example `['nodes']` or `['edges', 'node']`. */
export function fieldsBelow(fields: readonly SelectedField[], ...path: readonly string[]): readonly SelectedField[] {
  return path.reduce((level, next) => level.flatMap(({ name, fields }) => (name === next ? fields : [])), fields);
}

/** Their names, which repositories read as properties. */
export function namesOf(fields: readonly SelectedField[]): Set<string> {
  return new Set(fields.map(({ name }) => name));
}

function fieldOf(info: GraphQLResolveInfo): SelectedField {
  const field = info.parentType.getFields()[info.fieldName] as GraphQLField<unknown, unknown>;
  const values = getArgumentValues(field, info.fieldNodes[0] as FieldNode, info.variableValues);
  return { name: info.fieldName, arguments: values, fields: selectedFields(info), definition: field };
}

function below(
  info: GraphQLResolveInfo,
  nodes: readonly FieldNode[],
  returnType: GraphQLResolveInfo['returnType'],
): SelectedField[] {
  const type = getNamedType(returnType);
  if (!isObjectType(type)) return [];
  const collected = collectSubfields(info.schema, info.fragments, info.variableValues, type, nodes);
  return [...collected.values()].flatMap((nodes) => {
    const [node] = nodes as readonly [FieldNode];
    const field = type.getFields()[node.name.value];
    if (!field) return []; // __typename
    const values = field.args.length ? getArgumentValues(field, node, info.variableValues) : {};
    return [{ name: field.name, arguments: values, fields: below(info, nodes, field.type), definition: field }];
  });
}

/**
 * Whether a variable stands anywhere below a field, also in the fragments that are spread there.
 */
function usesVariables({ fragments }: GraphQLResolveInfo, field: FieldNode): boolean {
  let uses = false;
  if (!field.selectionSet) return uses;
  visitSpread(field.selectionSet, fragments, {
    Variable() {
      uses = true;
      return BREAK;
    },
  });
  return uses;
}
