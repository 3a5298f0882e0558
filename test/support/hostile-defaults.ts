/**
 * Defaults of a database that change how PostgreSQL writes values as text, and how it reads them.
 */
export const HOSTILE = {
  DateStyle: 'German',
  IntervalStyle: 'sql_standard',
  TimeZone: 'Pacific/Auckland',
  bytea_output: 'escape',
  extra_float_digits: '0',
  quote_all_identifiers: 'on',
  array_nulls: 'off',
} as const;
