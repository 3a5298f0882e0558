import {
  coerceInputValue,
  type GraphQLInputObjectType,
  type GraphQLNamedType,
  GraphQLScalarType,
  type GraphQLSchema,
  getNamedType,
  isInputObjectType,
  valueFromAST,
} from 'graphql';

const known = new WeakMap<GraphQLSchema, GraphQLSchema>();

/**
 * The schema as the compiler may see it. It writes out the type of a variable to its ends, which an
 * input that holds itself, such as a filter with `not`, does not have: to the compiler that is a
 * scalar, whose values graphql-js coerces as the type says.
 */
export function compilerSchema(schema: GraphQLSchema): GraphQLSchema {
  const made = known.get(schema) ?? withoutRecursion(schema);
  known.set(schema, made);
  return made;
}

function withoutRecursion(schema: GraphQLSchema): GraphQLSchema {
  const types = Object.values(schema.getTypeMap()).filter((type) => isInputObjectType(type));
  const scalars = new Map(types.filter(holdsItself).map((type) => [type.name, asScalar(type)]));
  const seen: GraphQLSchema = Object.create(schema);
  seen.getType = (name): GraphQLNamedType | undefined => scalars.get(name) ?? schema.getType(name);
  return seen;
}

function holdsItself(type: GraphQLInputObjectType): boolean {
  const found = new Set<GraphQLInputObjectType>();
  const open = [type];
  for (let next = open.pop(); next; next = open.pop())
    for (const field of Object.values(next.getFields())) {
      const below = getNamedType(field.type);
      if (!isInputObjectType(below) || found.has(below)) continue;
      found.add(below);
      open.push(below);
    }
  return found.has(type);
}

function asScalar(type: GraphQLInputObjectType): GraphQLScalarType {
  return new GraphQLScalarType({
    name: type.name,
    // What does not fit throws, and graphql-js says what is wrong.
    parseValue: (value) => coerceInputValue(value, type),
    parseLiteral: (node, variables) => valueFromAST(node, type, variables),
  });
}
