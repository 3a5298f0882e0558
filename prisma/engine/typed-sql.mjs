import { useSchema, withClient } from './connection.mjs';
import { describeStatement } from './describe-statement.mjs';

/** @typedef {import('@prisma/schema-engine-wasm').SqlQueryInput} SqlQueryInput */
/** @typedef {import('@prisma/schema-engine-wasm').SqlQueryOutput} SqlQueryOutput */
/** @typedef {import('pg').Client} Client */
/** @typedef {import('pg').FieldDef} FieldDef */

/**
 * What a query's comments declare of a parameter: `-- @param {Int} $1:limit? how many`
 * @typedef {object} DeclaredParameter
 * @property {string | undefined} type
 * @property {string | undefined} name
 * @property {boolean} nullable
 * @property {string | null} documentation
 */

const PARAMETER = /^\s*--\s*@param\s+(?:\{(\w+)\}\s*)?\$(\d+)(?::(\w+)(\?)?)?\s*(.*)$/;
const COMMENT = /^\s*--\s?/;
/** Makes columns null that are declared otherwise. */
const ADDS_NULLS = /\b(left|right|full|grouping\s+sets|rollup|cube)\b/i;

/**
 * Names of TypedSQL's types, by PostgreSQL's.
 * @type {Record<string, string>}
 */
const TYPES = {
  bool: 'bool',
  bytea: 'bytes',
  char: 'char',
  date: 'date',
  float4: 'float',
  float8: 'double',
  int2: 'int',
  int4: 'int',
  int8: 'bigint',
  json: 'json',
  jsonb: 'json',
  money: 'decimal',
  numeric: 'decimal',
  oid: 'bigint',
  time: 'time',
  timestamp: 'datetime',
  timestamptz: 'datetime',
  timetz: 'time',
  uuid: 'uuid',
  xml: 'xml',
};
/**
 * Names of TypedSQL's types, by the names that parameters are declared with.
 * @type {Record<string, string>}
 */
const DECLARED_TYPES = {
  BigInt: 'bigint',
  Boolean: 'bool',
  Bytes: 'bytes',
  DateTime: 'datetime',
  Decimal: 'decimal',
  Float: 'double',
  Int: 'int',
  Json: 'json',
  String: 'string',
};

const TYPE_NAMES = `
  SELECT type.oid, coalesce(element.typname, type.typname) AS name,
         coalesce(element.typtype, type.typtype) = 'e' AS "isEnum", element.oid IS NOT NULL AS "isArray"
  FROM pg_type AS type
  LEFT JOIN pg_type AS element ON type.typcategory = 'A' AND element.oid = type.typelem
  WHERE type.oid = ANY ($1::oid[])`;
const REQUIRED_COLUMNS = `
  SELECT attrelid || '.' || attnum AS key FROM pg_attribute WHERE attnotnull AND attrelid = ANY ($1::oid[])`;

/**
 * What `prisma generate --sql` asks for. The WebAssembly engine cannot describe a query, so
 * PostgreSQL is asked.
 * @param {import('./connection.mjs').Target} target
 * @param {SqlQueryInput[]} queries
 * @returns {Promise<import('@prisma/schema-engine-wasm').IntrospectSqlResult>}
 */
export function introspectSql(target, queries) {
  return withClient(target, async (client) => {
    await useSchema(client, target.schema);
    /** @type {SqlQueryOutput[]} */
    const described = [];
    for (const query of queries) described.push(await introspectQuery(client, query));
    return { queries: described };
  });
}

/**
 * @param {Client} client
 * @param {SqlQueryInput} query
 * @returns {Promise<SqlQueryOutput>}
 */
async function introspectQuery(client, { name, source }) {
  const { documentation, declared } = readComments(source);
  const { parameterTypes, columns } = await describeStatement(client, source);
  const typeNames = await nameTypes(client, [...parameterTypes, ...columns.map(({ dataTypeID }) => dataTypeID)]);
  const required = ADDS_NULLS.test(source) ? new Set() : await findRequired(client, columns);
  const parameters = parameterTypes.map((oid, index) => {
    const own = declared.get(index + 1);
    return {
      name: own?.name ?? `_${index}`,
      typ: DECLARED_TYPES[own?.type ?? ''] ?? typeNames.get(oid) ?? 'string',
      documentation: own?.documentation ?? null,
      nullable: own?.nullable ?? false,
    };
  });
  const resultColumns = columns.map((column) => ({
    name: column.name,
    typ: typeNames.get(column.dataTypeID) ?? 'string',
    nullable: !required.has(`${column.tableID}.${column.columnID}`),
  }));
  return { name, source, documentation, parameters, resultColumns };
}

/** @param {string} source */
function readComments(source) {
  const comments = source.split('\n').filter((line) => COMMENT.test(line));
  const text = comments.filter((line) => !PARAMETER.test(line)).map((line) => line.replace(COMMENT, ''));
  /** @type {Map<number, DeclaredParameter>} */
  const declared = new Map();
  for (const line of comments) {
    const [, type, position, name, optional, documentation] = PARAMETER.exec(line) ?? [];
    if (!position) continue;
    declared.set(Number(position), {
      type,
      name,
      nullable: optional !== undefined,
      documentation: documentation || null,
    });
  }
  return { documentation: text.length > 0 ? text.join('\n') : null, declared };
}

/**
 * @param {Client} client
 * @param {number[]} oids
 * @returns {Promise<Map<number, string>>} an enum has its own name
 */
async function nameTypes(client, oids) {
  const { rows } = await client.query(TYPE_NAMES, [oids]);
  return new Map(rows.map(({ oid, name, isEnum, isArray }) => [oid, typeName(name, isEnum, isArray)]));
}

/**
 * @param {string} name
 * @param {boolean} isEnum
 * @param {boolean} isArray
 */
function typeName(name, isEnum, isArray) {
  if (isArray) return `${TYPES[name] ?? 'string'}-array`;
  return isEnum ? name : (TYPES[name] ?? 'string');
}

/**
 * @param {Client} client
 * @param {FieldDef[]} columns
 */
async function findRequired(client, columns) {
  const { rows } = await client.query(REQUIRED_COLUMNS, [columns.map(({ tableID }) => tableID)]);
  return new Set(rows.map(({ key }) => key));
}
