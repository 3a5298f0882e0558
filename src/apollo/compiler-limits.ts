import {
  type ASTNode,
  type DocumentNode,
  type GraphQLSchema,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionSetNode,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

/**
 * The compiler's marks for values that JSON cannot say: what follows one in a client's text would
 * become code.
 */
const MARKS = '__MAGIC_';

/** Whether the compiler would execute a settled operation otherwise than graphql-js does. */
export function isBeyondCompiler(schema: GraphQLSchema, settled: DocumentNode): boolean {
  const [operation] = settled.definitions as readonly OperationDefinitionNode[];
  return (
    !operation ||
    print(settled).includes(MARKS) ||
    hasInheritedVariable(operation) ||
    hasAmbiguousPaths(operation.selectionSet) ||
    hasOptionalPart(schema, operation)
  );
}

/** The compiler keeps variables in a plain object, which has names of its own. */
function hasInheritedVariable({ variableDefinitions = [] }: OperationDefinitionNode): boolean {
  return variableDefinitions.some(({ variable }) => variable.name.value in Object.prototype);
}

/**
 * What resolvers are told of their field is kept under the response names of its path, joined by
 * underscores: with names that have underscores two fields can meet under one. `__proto__` is no
 * property to the compiled code.
 */
function hasAmbiguousPaths(set: SelectionSetNode, above = '', seen = new Set<string>()): boolean {
  const names = new Set(set.selections.map((field) => (field.kind === Kind.FIELD ? responseName(field) : '')));
  for (const name of names) {
    // Without the places in lists, which stand between the names.
    const path = `${name}_${above}`.replaceAll(/idx\d+|_/g, '');
    if (name === '__proto__' || seen.has(path)) return true;
    seen.add(path);
  }
  return set.selections.some(
    (field) =>
      field.kind === Kind.FIELD &&
      field.selectionSet &&
      hasAmbiguousPaths(field.selectionSet, `${responseName(field)}_${above}`, seen),
  );
}

function responseName({ alias, name }: { alias?: { value: string } | undefined; name: { value: string } }): string {
  return (alias ?? name).value;
}

/**
 * A variable that may be null or absent, within an object or a list, where null is not allowed or
 * absence means a default: the compiled code puts null there.
 */
function hasOptionalPart(schema: GraphQLSchema, operation: OperationDefinitionNode): boolean {
  const required = new Set(
    operation.variableDefinitions?.flatMap(({ variable, type }) =>
      type.kind === Kind.NON_NULL_TYPE ? [variable.name.value] : [],
    ),
  );
  const types = new TypeInfo(schema);
  let found = false;
  const isPart = (parent: ASTNode | readonly ASTNode[] | undefined): boolean =>
    Array.isArray(parent) || (parent as ASTNode | undefined)?.kind === Kind.OBJECT_FIELD;
  visit(
    operation,
    visitWithTypeInfo(types, {
      Variable({ name }, _key, parent) {
        if (!isPart(parent) || required.has(name.value)) return;
        found ||= isNonNullType(types.getInputType()) || types.getDefaultValue() !== undefined;
      },
    }),
  );
  return found;
}
