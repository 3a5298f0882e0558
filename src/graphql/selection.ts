import {
  type FieldNode,
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

/** The names of the fields selected at a path below, for example `['nodes']` or `['edges', 'node']`. */
export function selectedNames(fields: readonly SelectedField[], ...path: readonly string[]): Set<string> {
  const [next, ...rest] = path;
  if (next === undefined) return new Set(fields.map(({ name }) => name));
  return selectedNames(
    fields.filter(({ name }) => name === next).flatMap((field) => field.fields),
    ...rest,
  );
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
