import {
  type DocumentNode,
  GraphQLError,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNullableType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';

type Path = readonly (string | number)[];

interface Placed {
  readonly error: GraphQLError;
  /** Where its field stands in the answer: the place among its siblings on each level. */
  readonly position: readonly number[];
  /** What the error makes null: the nearest field or row above that may be. */
  readonly nulled: Path;
}

/**
 * Which errors of a compiled query graphql-js reports: in the order of the answer, and of those
 * that make the same null only the first, since graphql-js goes no further there.
 */
export function reportedErrors(
  schema: GraphQLSchema,
  settled: DocumentNode,
  errors: readonly GraphQLError[],
): GraphQLError[] {
  const placed = errors.map((error) => placedIn(schema, settled, error)).sort(byPosition);
  const reported: Placed[] = [];
  for (const each of placed)
    if (!reported.some(({ nulled }) => isWithin(each.error.path ?? [], nulled))) reported.push(each);
  return reported.map(({ error }) => error);
}

function placedIn(schema: GraphQLSchema, settled: DocumentNode, error: GraphQLError): Placed {
  const path = error.path ?? [];
  const position: number[] = [];
  let type: GraphQLOutputType | null | undefined = schema.getQueryType();
  let set: SelectionSetNode | undefined = (settled.definitions[0] as OperationDefinitionNode).selectionSet;
  let nulledLength = 0;
  for (const [index, key] of path.entries()) {
    const outer: GraphQLOutputType | null | undefined = type && getNullableType(type);
    if (typeof key === 'number') {
      position.push(key);
      type = isListType(outer) ? outer.ofType : undefined;
    } else {
      const place: number = set?.selections.findIndex((field) => isCalled(field, key)) ?? -1;
      const field: SelectionNode | undefined = set?.selections[place];
      position.push(place);
      type = isObjectType(outer) && field?.kind === Kind.FIELD ? outer.getFields()[field.name.value]?.type : undefined;
      set = field?.kind === Kind.FIELD ? field.selectionSet : undefined;
    }
    if (!isNonNullType(type)) nulledLength = index + 1;
  }
  return { error, position, nulled: path.slice(0, nulledLength) };
}

function isCalled(selection: SelectionNode, name: string): boolean {
  return selection.kind === Kind.FIELD && (selection.alias ?? selection.name).value === name;
}

function byPosition({ position: a }: Placed, { position: b }: Placed): number {
  const at = a.findIndex((place, level) => place !== b[level]);
  return at === -1 ? a.length - b.length : (a[at] as number) - (b[at] ?? -1);
}

function isWithin(path: Path, above: Path): boolean {
  return above.every((key, level) => key === path[level]);
}

/**
 * The compiler's errors are of a class of their own, which Apollo Server would mask without path
 * and code.
 */
export function asGraphqlJsError({ message, path, locations, originalError }: GraphQLError): GraphQLError {
  // An error that knows its place keeps it, such as one of an argument.
  const nodes = originalError instanceof GraphQLError ? originalError.nodes : undefined;
  // The original error's extensions become its own.
  const made = new GraphQLError(message, {
    ...(path && { path }),
    ...(originalError && { originalError }),
    ...(nodes && { nodes }),
  });
  if (!nodes && locations) Object.defineProperty(made, 'locations', { value: locations, enumerable: true });
  return made;
}
