import {
  type ASTNode,
  BREAK,
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
  visit,
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
  return info.fieldNodes.flatMap((node) => {
    const known = constantSelections.get(node);
    if (known) return known;
    const found = below(info, node, info.returnType);
    if (known === undefined) constantSelections.set(node, usesVariables(info, node) ? null : found);
    return found;
  });
}

/** What is selected below a field whatever the variables are; null where they decide. Documents that come again share their nodes. */
const constantSelections = new WeakMap<FieldNode, readonly SelectedField[] | null>();

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

/** Whether a variable stands anywhere below a field, also in the fragments that are spread there. */
function usesVariables({ fragments }: GraphQLResolveInfo, field: FieldNode): boolean {
  let uses = false;
  const spread = new Set<string>();
  const look = (node: ASTNode): void => {
    visit(node, {
      Variable() {
        uses = true;
        return BREAK;
      },
      FragmentSpread({ name: { value: name } }) {
        const fragment = fragments[name];
        if (!fragment || spread.has(name)) return;
        spread.add(name);
        look(fragment);
      },
    });
  };
  if (field.selectionSet) look(field.selectionSet);
  return uses;
}

function isLeftOut(info: GraphQLResolveInfo, selection: SelectionSetNode['selections'][number]): boolean {
  if (!selection.directives?.length) return false;
  const skip = getDirectiveValues(GraphQLSkipDirective, selection, info.variableValues);
  const include = getDirectiveValues(GraphQLIncludeDirective, selection, info.variableValues);
  return skip?.if === true || include?.if === false;
}
