import {
  type GraphQLSchema,
  getIntrospectionQuery,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  parse,
} from 'graphql';
import type { ComplexityEstimatorArgs } from 'graphql-query-complexity';
import type { Reckoning } from '../graphql/complexity.ts';
import { SCHEMA_VALUE_POINTS } from '../graphql/prices.ts';

/** All that tools ask for, such as Apollo Sandbox, GraphiQL and code generators. */
export const WHOLE_SCHEMA = parse(
  getIntrospectionQuery({
    ...{ descriptions: true, specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true },
    ...{ inputValueDeprecation: true, oneOf: true },
  }),
);

/** By field: how many there are of what it lists, for each of what it is a field of. */
type Lengths = ReadonlyMap<string, number>;

const lengthsOf = new WeakMap<GraphQLSchema, Lengths>();

/** For what introspection shows; undefined for other fields. */
export function introspectionEstimator({ type, field, childComplexity, context }: ComplexityEstimatorArgs) {
  if (!type.name.startsWith('__'))
    return field.name === '__schema' || field.name === '__type' ? Math.ceil(1 + childComplexity) : undefined;
  const { schema } = context as Reckoning;
  const length = knownLengths(schema).get(`${type.name}.${field.name}`) ?? 1;
  return length * (SCHEMA_VALUE_POINTS + childComplexity);
}

function knownLengths(schema: GraphQLSchema): Lengths {
  const known = lengthsOf.get(schema) ?? countLengths(schema);
  lengthsOf.set(schema, known);
  return known;
}

/** On average over all types, fields and directives. */
function countLengths(schema: GraphQLSchema): Lengths {
  const types = Object.values(schema.getTypeMap());
  const fields = types.flatMap((type) =>
    isObjectType(type) || isInterfaceType(type) ? Object.values(type.getFields()) : [],
  );
  const inputFields = types.flatMap((type) => (isInputObjectType(type) ? Object.values(type.getFields()) : []));
  const enumValues = types.flatMap((type) => (isEnumType(type) ? type.getValues() : []));
  const interfaces = types.flatMap((type) => (isObjectType(type) || isInterfaceType(type) ? type.getInterfaces() : []));
  const possibleTypes = types.flatMap((type) => (isAbstractType(type) ? schema.getPossibleTypes(type) : []));
  const directives = schema.getDirectives();
  const args = (owners: readonly { readonly args: readonly unknown[] }[]) => owners.flatMap((owner) => owner.args);
  const average = (all: readonly unknown[], of: readonly unknown[]) => all.length / Math.max(of.length, 1);
  return new Map([
    ['__Schema.types', types.length],
    ['__Schema.directives', directives.length],
    ['__Type.fields', average(fields, types)],
    ['__Type.inputFields', average(inputFields, types)],
    ['__Type.enumValues', average(enumValues, types)],
    ['__Type.interfaces', average(interfaces, types)],
    ['__Type.possibleTypes', average(possibleTypes, types)],
    ['__Field.args', average(args(fields), fields)],
    ['__Directive.args', average(args(directives), directives)],
  ]);
}
