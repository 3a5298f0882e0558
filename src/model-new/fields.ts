import { OperatorError } from '../errors.ts';
import { columnName } from './names.ts';

/** How a kind of field is written in each language. */
export interface FieldKind {
  readonly prisma: string;
  readonly sql: string;
  readonly graphql: string;
  readonly typescript: string;
  /** The function of src/models/columns.ts. */
  readonly column: string;
  /** What the description of the field says of its values. */
  readonly values: string;
  /** Values of two rows of the test, in SQL's text form. */
  readonly samples: readonly [string, string];
}

export const KINDS = {
  string: {
    prisma: 'String',
    sql: 'TEXT',
    graphql: 'String',
    typescript: 'string',
    column: 'text',
    values: '1 to 200 characters',
    samples: ['first', 'second'],
  },
  int: {
    prisma: 'Int',
    sql: 'INTEGER',
    graphql: 'Int',
    typescript: 'number',
    column: 'integer',
    values: 'a whole number',
    samples: ['1', '2'],
  },
  decimal: {
    prisma: 'Decimal @db.Decimal(19, 4)',
    sql: 'DECIMAL(19,4)',
    graphql: 'DecimalScalar',
    typescript: 'string',
    column: 'decimal',
    values: 'an exact amount',
    samples: ['0.1000', '999999999999999.9999'],
  },
  boolean: {
    prisma: 'Boolean',
    sql: 'BOOLEAN',
    graphql: 'Boolean',
    typescript: 'boolean',
    column: 'flag',
    values: 'true or false',
    samples: ['true', 'false'],
  },
  date: {
    prisma: 'DateTime @db.Date',
    sql: 'DATE',
    graphql: 'DateScalar',
    typescript: 'string',
    column: 'day',
    values: 'a day',
    samples: ['2026-01-31', '2026-02-28'],
  },
  datetime: {
    prisma: 'DateTime @db.Timestamptz(3)',
    sql: 'TIMESTAMPTZ(3)',
    graphql: 'DateTimeScalar',
    typescript: 'string',
    column: 'instant',
    values: 'an instant',
    samples: ['2026-01-31T12:00:00.000Z', '2026-02-28T12:00:00.001Z'],
  },
} as const satisfies Readonly<Record<string, FieldKind>>;

/** Of an enum: its names in Prisma and GraphQL, and in PostgreSQL. */
export interface FieldEnum {
  readonly name: string;
  readonly type: string;
  readonly values: readonly string[];
}

export interface AskedField {
  readonly name: string;
  readonly column: string;
  readonly isOptional: boolean;
  readonly kind: FieldKind;
  readonly ofEnum?: FieldEnum;
}

const EXPECTED = `${Object.keys(KINDS).join(', ')} or enum:A|B, with ? for one that may be absent`;
const NOTHING_WRITTEN = 'Nothing was written.';
/** Properties that every row has, or that pages give it. */
export const TAKEN_PROPERTIES: readonly string[] = [
  ...(['id', 'tenantId', 'tenant', 'createdAt', 'sortValue', 'precedes', 'follows', 'ofParent'] as const),
];
/** Columns that every table of PostgreSQL has, and what makes a row look like a promise. */
const RESERVED = ['tableoid', 'xmin', 'cmin', 'xmax', 'cmax', 'ctid', 'then'];
const LONGEST_NAME = 40;
const MAX_FIELDS = 50;

/**
 * Reads `last4:string,status:enum:OPEN|CLOSED,expires:date?`.
 * @param taken names that the model has beside them
 * @throws OperatorError naming the field, what was expected and what came
 */
export function readFields(model: string, text: string | undefined, taken: readonly string[]): AskedField[] {
  if (!text?.trim())
    throw new OperatorError(
      '--fields is missing: give at least one, such as --fields last4:string,expires:date.',
      NOTHING_WRITTEN,
    );
  const parts = text.split(',');
  if (parts.length > MAX_FIELDS) throw refused('--fields', `${MAX_FIELDS} fields at most`, String(parts.length));
  const fields = parts.map((part) => readField(model, part.trim(), [...TAKEN_PROPERTIES, ...taken]));
  const names = new Set<string>();
  for (const field of fields)
    for (const name of [field.name, ...filterNames(field)]) {
      if (names.has(name))
        throw refused(`--fields: ${field.name}`, `a name that no other field and its filter has`, `"${name}" twice`);
      names.add(name);
    }
  return fields;
}

function readField(model: string, part: string, taken: readonly string[]): AskedField {
  const [, name = '', type = '', optional] = /^([^:?]*):(.*?)(\?)?$/s.exec(part) ?? [];
  const named = name || part;
  if (!type)
    throw refused(
      `--fields: ${named || '(a field without a name)'}`,
      `<name>:<type>, the type one of ${EXPECTED}`,
      part,
    );
  if (!/^[a-z][A-Za-z0-9]*$/.test(name) || name.length > LONGEST_NAME || name in {})
    throw refused(
      `--fields: ${named}`,
      `a name such as expiresAt, of ${LONGEST_NAME} letters and digits at most`,
      named,
    );
  if (RESERVED.includes(name))
    throw refused(
      `--fields: ${name}`,
      `a name that neither PostgreSQL nor JavaScript has (${RESERVED.join(', ')})`,
      name,
    );
  if (taken.includes(name))
    throw refused(`--fields: ${name}`, `a name beside those that a ${model} has already (${taken.join(', ')})`, name);
  return { name, column: columnName(name), isOptional: optional !== undefined, ...kindOf(model, name, type) };
}

function kindOf(model: string, name: string, type: string): Pick<AskedField, 'kind' | 'ofEnum'> {
  if (Object.hasOwn(KINDS, type)) return { kind: KINDS[type as keyof typeof KINDS] };
  if (!type.startsWith('enum:')) throw refused(`--fields: ${name}`, EXPECTED, type);
  const values = type.slice('enum:'.length).split('|');
  const [first, second = first] = values;
  const isSound =
    values.every((value) => /^[A-Z][A-Z0-9_]{0,40}$/.test(value)) && new Set(values).size === values.length;
  if (!isSound || !first || !second)
    throw refused(`--fields: ${name}`, 'an enum of different values in capitals, such as enum:OPEN|CLOSED', type);
  const ofEnum = { name: `${model}${name[0]?.toUpperCase()}${name.slice(1)}`, values };
  const sqlType = columnName(ofEnum.name);
  return {
    ofEnum: { ...ofEnum, type: sqlType },
    kind: {
      prisma: ofEnum.name,
      sql: `"${sqlType}"`,
      graphql: ofEnum.name,
      typescript: ofEnum.name,
      column: 'enumeration',
      values: `one of ${values.join(', ')}`,
      samples: [first, second],
    },
  };
}

function filterNames({ name, kind }: AskedField): string[] {
  const capital = `${name[0]?.toUpperCase()}${name.slice(1)}`;
  if (['integer', 'decimal'].includes(kind.column)) return [`min${capital}`, `max${capital}`];
  return ['day', 'instant'].includes(kind.column) ? [`${name}From`, `${name}To`] : [];
}

/** What stands in an argument where something else was expected. */
export function refused(what: string, expected: string, got: string): OperatorError {
  return new OperatorError(`${what} must be ${expected}, but got: "${got}".`, NOTHING_WRITTEN);
}
