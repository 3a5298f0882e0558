import {
  type GraphQLInputType,
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql';
import { twinAccountId } from '../../support/twin-tenants.ts';
import type { Random } from './random.ts';

/** What no list, page or length may be. */
const WRONG_SIZES = [0, -1, 101];

const IDS = [twinAccountId(0), twinAccountId(1), twinAccountId(2), '00000000-0000-7000-8000-000000000000', 'no uuid'];
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  accountNumber: ['0001', '0003', 'none'],
  bankName: ['alfa', 'Zlatá banka', 'none'],
  currency: ['CZK', 'EUR', 'czk'],
  category: ['rent', `o'brien "%_\\" *`, 'none'],
  counterpartyBank: ['alfa', 'none'],
  after: cursors('2024-01-03T12:00:00.000Z'),
  before: cursors('2025-03-30T12:00:00.000Z'),
  model: ['Tenant', 'BankAccount', 'Nothing'],
};
/** Of the lists in their usual orders, and of none. */
function cursors(instant: string): string[] {
  const text = (order: string) => Buffer.from(JSON.stringify([order, instant, IDS[0]])).toString('base64url');
  const [accounts, transactions] = [text('CREATED_AT'), text('-BOOKED_AT')];
  return [accounts, transactions, accounts, transactions, 'no cursor'];
}

const SCALARS: Readonly<Record<string, readonly unknown[]>> = {
  Date: ['2025-03-30', '2025-01-01', '2025-10-26', '2025-02-30'],
  DateTime: ['2025-03-30T01:00:00Z', '2024-01-02T12:00:00+02:00', 'yesterday'],
  Decimal: ['10', '-20', '100.0001', 'much'],
};

/**
 * A value for a field's argument or an input's field, as JSON has it; often one that is accepted
 * and reads little.
 */
export function argumentValue(random: Random, name: string, type: GraphQLInputType): unknown {
  const nullable = getNullableType(type);
  if (!isNonNullType(type) && random.chance(0.1)) return null;
  if (isListType(nullable)) return [argumentValue(random, name, nullable.ofType)];
  if (isEnumType(nullable)) return random.pick(nullable.getValues()).name;
  if (isInputObjectType(nullable)) return inputObject(random, nullable);
  switch (nullable.name) {
    case 'ID':
      return random.pick(IDS);
    case 'Int':
      return random.chance(0.04) ? random.pick(WRONG_SIZES) : random.integer(1, 3);
    case 'Boolean':
      // Answers computed anew are counted by the minute.
      return name === 'refresh' ? false : random.chance(0.5);
    case 'String':
      return text(random, name);
    default: {
      const [wrong, ...right] = (SCALARS[nullable.name] ?? ['text', 'text']).toReversed();
      return random.chance(0.05) ? wrong : random.pick(right);
    }
  }
}

/** `categoryIn` has categories, `categoryStartsWith` the beginnings of some. */
function text(random: Random, name: string): string {
  const [whole = name] = name.split(/In$|StartsWith$/);
  const value = random.pick(TEXTS[whole] ?? ['text']);
  return name.endsWith('StartsWith') ? value.slice(0, random.integer(0, 4)) : value;
}

/** A value that the type of a variable does not take. */
export function wrongValue(random: Random, type: GraphQLInputType): unknown {
  return isNonNullType(type) && random.chance(0.5) ? null : random.pick([{ unknown: 1 }, 3.5, [[true]], 'WRONG', 7]);
}

/** As it is written in a document. */
export function literal(type: GraphQLInputType, value: unknown): string {
  const nullable = getNullableType(type);
  if (value === null || value === undefined) return 'null';
  if (isListType(nullable)) return `[${(value as unknown[]).map((item) => literal(nullable.ofType, item)).join(', ')}]`;
  if (isEnumType(nullable)) return String(value);
  if (!isInputObjectType(nullable)) return JSON.stringify(value);
  const fields = Object.entries(value as object).map(([name, part]) => {
    const field = nullable.getFields()[name];
    if (!field) throw new Error(`${nullable.name} has no field ${name}`);
    return `${name}: ${literal(field.type, part)}`;
  });
  return `{${fields.join(', ')}}`;
}

function inputObject(random: Random, type: Extract<GraphQLInputType, { getFields(): unknown }>): object {
  const fields = Object.values(type.getFields());
  const share = Math.min(1, 2 / fields.length);
  const chosen = fields.filter((field) => isNonNullType(field.type) || random.chance(share));
  const values = chosen.map((field) => [field.name, argumentValue(random, field.name, field.type)] as const);
  return Object.fromEntries(random.chance(0.3) ? values.toReversed() : values);
}
