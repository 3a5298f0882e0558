import { END_OF_INSTANTS, FIRST_INSTANT, LIMITS, type Limit, MAX_MONEY } from '../../src/limits.ts';

/** Two code points of UTF-16 and four bytes of UTF-8, but one character. */
const WIDE = '😀';
/** What JSON, CSV, GraphQL and keys of the cache could take for their own. */
const AWKWARD = ['"', "'", '\\', ',;\t\n', '\u0001', ' ', '{}:*?[]', '\u202e', 'NULL', '\\N', '0'];

/**
 * The smallest and largest values that a column takes, and those that something could trip over.
 */
export function edgesOf(limit: Limit): readonly string[] {
  switch (limit.kind) {
    case 'text':
      return limit.pattern
        ? ofPattern(limit.pattern).within
        : ['x', 'x'.repeat(limit.maxLength), WIDE.repeat(limit.maxLength), ...AWKWARD];
    case 'timeZone':
      return [
        'UTC',
        'Pacific/Kiritimati',
        'Asia/Manila',
        'America/Metlakatla',
        'America/Argentina/ComodRivadavia',
        'America/Port-au-Prince',
      ];
    case 'money':
      return [MAX_MONEY, `-${MAX_MONEY}`, '0.0000', '-0.0001'];
    case 'positiveMoney':
      return [MAX_MONEY, '0.0001'];
    case 'instant':
      return [FIRST_INSTANT, '0099-12-31T23:59:59.999Z', '0100-01-01T00:00:00.000Z', later(END_OF_INSTANTS, -1)];
    default:
      return [];
  }
}

/** Values just beyond a limit, and those that are none. */
export function beyond(limit: Limit): readonly string[] {
  switch (limit.kind) {
    case 'text':
      return [
        '',
        'x'.repeat(limit.maxLength + 1),
        WIDE.repeat(limit.maxLength + 1),
        ...(limit.pattern ? ofPattern(limit.pattern).beyond : []),
      ];
    case 'timeZone':
      return [
        'UTC+3',
        'IST',
        'EST5EDT',
        '+05:30',
        'Factory',
        'Etc/GMT+3',
        'posix/Europe/Prague',
        'europe/prague',
        'Europe/Nowhere',
        'Europe/Nowhere+3',
        'localtime',
        '',
      ];
    case 'money':
      return ['NaN', 'Infinity', '-Infinity', '1000000000000000', '-1000000000000000'];
    case 'positiveMoney':
      return ['0', '-1', 'NaN', 'Infinity', '1000000000000000'];
    case 'sum':
      return ['NaN'];
    case 'instant':
      return [
        later(FIRST_INSTANT, -1),
        END_OF_INSTANTS,
        'infinity',
        '-infinity',
        '10000-01-01T00:00:00Z',
        '0001-01-01T00:00:00Z',
        '0044-03-15 00:00:00+00 BC',
      ];
    default:
      return ['0', '-1'];
  }
}

/** Every column of a table with its limit. */
export function limitsOf(table: keyof typeof LIMITS): [column: string, limit: Limit][] {
  return Object.entries<Limit>(LIMITS[table]);
}

/** A row for each edge of each column, which has the base's values but for that one. */
export function edgeRows<Row extends object>(table: keyof typeof LIMITS, baseOf: (index: number) => Row): Row[] {
  const edges = limitsOf(table).flatMap(([column, limit]) => edgesOf(limit).map((value) => ({ [column]: value })));
  return edges.map((edge, index) => ({ ...baseOf(index), ...edge }));
}

function ofPattern(pattern: string): { within: string[]; beyond: string[] } {
  if (pattern === LIMITS.bank_accounts.currency.pattern)
    return { within: ['AAA', 'ZZZ'], beyond: ['EU', 'eur', 'EU1', 'ÄÖÜ', 'EU\n'] };
  if (pattern === LIMITS.tenants.slug.pattern)
    return { within: ['-', '0', 'z'.repeat(100)], beyond: ['A', 'a b', 'ä', 'a\n'] };
  throw new Error(`say which values are within and beyond ${pattern}`);
}

function later(instant: string, ms: number): string {
  return new Date(Date.parse(instant) + ms).toISOString();
}
