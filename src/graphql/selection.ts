import {
  type FieldNode,
  type GraphQLField,
  GraphQLIncludeDirective,
  type GraphQLResolveInfo,
  GraphQLSkipDirective,
  getArgumentValues,
  getDirectiveValues,
  getNamedType,
  isInterfaceType,
  isObjectType,
  type SelectionSetNode,
} from 'graphql';

/** One selected field: an alias is an entry of its own. */
export interface SelectedField {
  readonly name: string;
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly fields: readonly SelectedField[];
}

/**
 * What the operation selects below the field being resolved, with fragments spread and @skip/@include applied. Resolvers
 * look ahead with it, to read only what is asked for.
 */
export function selectedFields(info: GraphQLResolveInfo): readonly SelectedField[] {
  return info.fieldNodes.flatMap((node) => below(info, node, info.returnType));
}

/**
 * The field being resolved with its selection, looked at once for all rows of a list: they share their field nodes.
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
  return { name: info.fieldName, arguments: values, fields: selectedFields(info) };
}

function below(info: GraphQLResolveInfo, node: FieldNode, type: GraphQLResolveInfo['returnType']): SelectedField[] {
  return node.selectionSet ? selected(info, node.selectionSet, getNamedType(type)) : [];
}

function selected(
  info: GraphQLResolveInfo,
  set: SelectionSetNode,
  type: ReturnType<typeof getNamedType>,
): SelectedField[] {
  if (!isObjectType(type) && !isInterfaceType(type)) return [];
  return set.selections.flatMap((selection) => {
    if (isLeftOut(info, selection)) return [];
    if (selection.kind === 'InlineFragment') return selected(info, selection.selectionSet, type);
    if (selection.kind === 'FragmentSpread') {
      const fragment = info.fragments[selection.name.value];
      return fragment ? selected(info, fragment.selectionSet, type) : [];
    }
    const field = type.getFields()[selection.name.value];
    if (!field) return []; // __typename
    const values =
      selection.arguments?.length || field.args.length ? getArgumentValues(field, selection, info.variableValues) : {};
    return [{ name: field.name, arguments: values, fields: below(info, selection, field.type) }];
  });
}

function isLeftOut(info: GraphQLResolveInfo, selection: SelectionSetNode['selections'][number]): boolean {
  if (!selection.directives?.length) return false;
  const skip = getDirectiveValues(GraphQLSkipDirective, selection, info.variableValues);
  const include = getDirectiveValues(GraphQLIncludeDirective, selection, info.variableValues);
  return skip?.if === true || include?.if === false;
}
