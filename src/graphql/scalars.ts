import { GraphQLError, GraphQLScalarType, Kind, type ValueNode } from 'graphql';
import { ErrorCode } from '../errors.ts';
import { FRACTION_DIGITS, WHOLE_DIGITS } from '../limits.ts';
import { sentences } from './sentences.ts';

/**
 * The scalars take any text and leave its meaning to the argument checks in `input-checks.ts`: only
 * there is the argument's name known, which the error must say. What leaves the service was made by
 * SQL in the right form already, so that serialising is free.
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

export const DateScalar = textScalar(
  'Date',
  sentences("Calendar day in the tenant's time zone, YYYY-MM-DD.", 'Input: a day of the years 0001 to 9999.'),
  '2026-01-31',
);

export const DateTimeScalar = textScalar(
  'DateTime',
  sentences(
    'Instant, RFC 3339, UTC.',
    'Output: with milliseconds, such as 2026-01-31T12:00:00.000Z.',
    'Input: an instant of the years 0001 to 9999, with Z or an offset; cut to milliseconds.',
  ),
  '2026-01-31T12:00:00Z',
);

export const DecimalScalar = textScalar(
  'Decimal',
  sentences(
    'Exact decimal number, carried as a string; never a float. Example: "1234.5600".',
    `Input: at most ${WHOLE_DIGITS} digits before the point and ${FRACTION_DIGITS} after it, with or without a sign.`,
  ),
  '1234.5600',
);
