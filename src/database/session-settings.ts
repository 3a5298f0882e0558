/**
 * How PostgreSQL writes and reads values as text, which a database, a role or a server may have set
 * otherwise. Prisma's adapter passes over the offset of an instant, and so needs it in UTC.
 */
const SETTINGS = {
  DateStyle: 'ISO, MDY',
  IntervalStyle: 'postgres',
  TimeZone: 'UTC',
  bytea_output: 'hex',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  quote_all_identifiers: 'off',
} as const;

/**
 * Sent first of all on every connection: as a statement, since poolers ignore settings of the
 * connection's start.
 */
export const SET_TEXT_FORMATS = `SELECT ${Object.entries(SETTINGS)
  .map(([name, value]) => `set_config('${name}', '${value}', false)`)
  .join(', ')}`;
