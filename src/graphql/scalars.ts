import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';
import { ErrorCode } from '../errors.ts';

/**
 * The scalars take any text and leave its meaning to the argument checks in `input-checks.ts`: only there is the
 * argument's name known, which the error must say. What leaves the service was made by SQL in the right form already,
 * so that serialising is free.
 */
function textScalar(name: string, description: string, example: string): GraphQLScalarType<string, string> {
  const refused = (got: string, node?: ValueNode) =>
    new GraphQLError(`${name} must be a string such as "${example}", but got: ${got}.`, {
      ...(node && { nodes: node }),
      extensions: { code: ErrorCode.BadUserInput },
    });
  return new GraphQLScalarType({
    name,
    description,
    serialize: (value) => (value instanceof Date ? value.toISOString() : String(value)),
    parseValue(value) {
      if (typeof value !== 'string') throw refused(JSON.stringify(value));
      return value;
    },
    parseLiteral(node) {
      if (node.kind !== Kind.STRING) throw refused('value' in node ? String(node.value) : node.kind, node);
      return node.value;
    },
  });
}

export const DateScalar = textScalar('Date', "Calendar day in the tenant's time zone, YYYY-MM-DD.", '2026-01-31');

export const DateTimeScalar = textScalar('DateTime', 'Instant, RFC 3339, UTC.', '2026-01-31T12:00:00Z');

export const DecimalScalar = textScalar(
  'Decimal',
  'Exact decimal number, carried as a string; never a float. Example: "1234.5600".',
  '1234.5600',
);
