import type { Random } from '../../../graphql/fuzz/random.ts';
import { type Kind, posting, times } from '../attempt.ts';
import type { World } from '../world.ts';

const LISTS = [
  ...['CREATED_AT', 'UPDATED_AT', 'BALANCE', 'BANK_NAME', 'ACCOUNT_NUMBER'].flatMap((field) =>
    ['ASC', 'DESC'].map(
      (direction) =>
        `accounts(orderBy: { field: ${field}, direction: ${direction} }, first: 3, after: $c) { nodes { id } pageInfo { hasNextPage hasPreviousPage } }`,
    ),
  ),
  'accounts(last: 3, before: $c, filter: { isActive: true }) { totalCount nodes { id } pageInfo { hasNextPage hasPreviousPage } }',
  'transactions(first: 3, after: $c) { nodes { id description } pageInfo { hasNextPage hasPreviousPage } }',
  'transactions(last: 3, before: $c, after: $c) { totalCount nodes { id } }',
  'accounts(first: 2) { nodes { transactions(first: 2, after: $c) { nodes { id } } } }',
  'auditLog(first: 3, after: $c) { nodes { id action } }',
  'auditLog(last: 3, before: $c) { totalCount nodes { id } }',
];
const TAGS = [
  'CREATED_AT',
  '-CREATED_AT',
  'BALANCE',
  '-BALANCE',
  'BANK_NAME',
  'ACCOUNT_NUMBER',
  '-BOOKED_AT',
  '-AT',
  '',
  '__proto__',
];
const VALUES: readonly unknown[] = [
  ...[
    '2025-01-01T00:00:00.000Z',
    '0000-01-01T00:00:00.000Z',
    '9999-12-31T23:59:59.999Z',
    '+010000-01-01T00:00:00.000Z',
  ],
  ...['999999999999999.9999', '-0', 'NaN', '1e5', '', '\u0000', '\ud800', 'x'.repeat(20_000), "'; --", 'infinity'],
  ...[null, 0, true, [], {}, ['2025-01-01T00:00:00.000Z'], -1],
];
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value) ?? '').toString('base64url');

function flipped(random: Random, cursor: string): string {
  const bytes = Buffer.from(cursor, 'base64url');
  for (let flips = random.integer(1, 3); flips > 0; flips--) {
    const at = random.integer(0, bytes.length - 1);
    bytes[at] = (bytes[at] as number) ^ (1 << random.integer(0, 7));
  }
  return bytes.toString('base64url');
}

function forged({ cursors, theirIds }: World, random: Random): string {
  const given = random.pick([...cursors.own, ...cursors.theirs]);
  return random.pick([
    () => given,
    () => flipped(random, given),
    () => flipped(random, given),
    () => given.slice(0, random.integer(0, given.length)),
    () => `${given}${random.pick(['=', '==', 'A', '\n', '\u0000', given])}`,
    () => Buffer.from(times(random.integer(0, 200), () => random.integer(0, 255))).toString('base64url'),
    () => encoded([random.pick(TAGS), random.pick(VALUES), random.pick(theirIds)]),
    () => encoded([random.pick(TAGS), random.pick(VALUES), random.pick(VALUES)]),
    () => encoded(random.pick<unknown>([[], {}, null, 1, [[]], { length: 3 }, ['CREATED_AT']])),
    () => Buffer.from('['.repeat(20_000)).toString('base64url'),
    () => random.pick(['', ' ', '%', 'null', '..', '😀', 'x'.repeat(50_000)]),
  ])();
}

export const CURSOR_KINDS: readonly Kind[] = [
  {
    name: 'forged cursors',
    attempts: (world, random, count) =>
      times(count, () =>
        posting(world.tokens.ADMIN, `query ($c: String) { ${random.pick(LISTS)} }`, { c: forged(world, random) }),
      ),
  },
];
