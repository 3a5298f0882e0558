import type { Random } from '../../../graphql/fuzz/random.ts';
import { twinAccountId } from '../../../support/twin-tenants.ts';
import { type Kind, posting, times } from '../attempt.ts';
import type { World } from '../world.ts';

/** Accounts that are written to; others stay as they are. */
const ACCOUNTS = times(8, twinAccountId);

const ANSWER = '{ userErrors { code field message }';
const RECORD = `mutation ($input: RecordTransactionsInput!) { recordTransactions(input: $input) ${ANSWER} transactions { id balanceAfter } } }`;
const TRANSFER = `mutation ($input: TransferInput!) { transfer(input: $input) ${ANSWER} debit { id } credit { id } } }`;
const CREATE = `mutation ($input: CreateAccountInput!) { createAccount(input: $input) ${ANSWER} account { id version } } }`;
const UPDATE = `mutation ($input: UpdateAccountInput!) { updateAccount(input: $input) ${ANSWER} account { id version bankName } } }`;
const CHANGE = `mutation ($input: ChangeAccountStatusInput!) { changeAccountStatus(input: $input) ${ANSWER} account { id version status } } }`;

const AMOUNTS = [
  '0.0001',
  '1',
  '999999999999999.9999',
  '0',
  '-1',
  '0.00001',
  '1e3',
  'NaN',
  '',
  '1000000000000000',
  '12.5',
];
const TEXTS = [
  'x',
  '',
  ' ',
  'x'.repeat(201),
  '😀'.repeat(200),
  'a\u0000b',
  '\ud800',
  '\u0007',
  "'; --",
  '%',
  '\\',
  '\u202e',
];

const newTransaction = (random: Random, accountId: unknown) => ({
  accountId,
  direction: random.pick(['CREDIT', 'DEBIT']),
  amount: random.pick(AMOUNTS),
  ...(random.chance(0.3) && {
    bookedAt: random.pick(['0001-01-01T00:00:00Z', '9999-12-31T00:00:00Z', '2025-01-01T00:00:00Z', 'now']),
  }),
  ...(random.chance(0.3) && { category: random.pick(TEXTS) }),
  ...(random.chance(0.3) && { description: random.pick(TEXTS) }),
});

const transfer = (random: Random, idempotencyKey: unknown, [from, to]: readonly unknown[]) => ({
  input: { idempotencyKey, fromAccountId: from, toAccountId: to, amount: random.pick(AMOUNTS) },
});

function anyAccount({ theirIds, lastVersionId }: World, random: Random): unknown {
  if (random.chance(0.6)) return random.pick(ACCOUNTS);
  return random.pick<unknown>([...theirIds, lastVersionId, '', 'x', null, 1, ACCOUNTS, twinAccountId(8).toUpperCase()]);
}

function keys(world: World, random: Random, n: number): [string, object] {
  const key = random.pick<unknown>([
    ...TEXTS,
    `key ${random.integer(0, 9)}`,
    `key ${n}`,
    null,
    7,
    ['key'],
    'k'.repeat(10_000),
  ]);
  if (random.chance(0.5))
    return [TRANSFER, transfer(random, key, [anyAccount(world, random), anyAccount(world, random)])];
  const count = random.pick([0, 1, 1, 2, 5, 1_001]);
  return [
    RECORD,
    {
      input: {
        idempotencyKey: key,
        transactions: times(count, () => newTransaction(random, anyAccount(world, random))),
      },
    },
  ];
}

/** Small amounts between few accounts, each account's keys used by many at once. */
function race(_world: World, random: Random, n: number): [string, object] {
  const ids = () => random.pick(ACCOUNTS.slice(0, 3));
  const idempotencyKey = `race ${random.integer(0, n)}`;
  if (random.chance(0.4))
    return [TRANSFER, { input: { idempotencyKey, fromAccountId: ids(), toAccountId: ids(), amount: '0.01' } }];
  if (random.chance(0.2))
    return [CHANGE, { input: { id: ids(), status: random.pick(['ACTIVE', 'FROZEN', 'CLOSED']) } }];
  if (random.chance(0.2)) return [UPDATE, { input: { id: ids(), bankName: random.pick(['Race', 'Race 2']) } }];
  const transactions = times(random.integer(1, 4), () => ({ accountId: ids(), direction: 'CREDIT', amount: '0.01' }));
  return [RECORD, { input: { idempotencyKey, transactions } }];
}

const VERSIONS = [null, 0, 1, 2, 3, -1, 2_147_483_647, 2_147_483_648, 1.5, '1'];

function accounts(world: World, random: Random): [string, object] {
  const id = anyAccount(world, random);
  const expected = random.chance(0.5) && { expectedVersion: random.pick<unknown>(VERSIONS) };
  return random.pick<() => [string, object]>([
    () => [UPDATE, { input: { id, bankName: random.pick(TEXTS), ...expected } }],
    () => [
      UPDATE,
      { input: { id, accountType: random.pick<unknown>(['LOAN', 'CHECKING', 'loan', null, 1]), ...expected } },
    ],
    () => [
      CHANGE,
      {
        input: {
          id,
          status: random.pick<unknown>(['PENDING', 'ACTIVE', 'FROZEN', 'CLOSED', 'GONE', null]),
          ...expected,
        },
      },
    ],
    () => [
      CREATE,
      {
        input: {
          bankName: random.pick(TEXTS),
          accountNumber: random.pick(TEXTS),
          accountType: random.pick(['LOAN', 'CHECKING']),
          currency: random.pick(['EUR', 'eur', '', 'ÄÖÜ', 'EUR\u0000', 'XXX']),
          openingBalance: random.pick([...AMOUNTS, '-999999999999999.9999']),
        },
      },
    ],
  ])();
}

/** An account whose version cannot grow any more. */
function lastVersion({ lastVersionId: id }: World, random: Random, n: number): [string, object] {
  return random.pick<() => [string, object]>([
    () => [UPDATE, { input: { id, bankName: `Other ${n}` } }],
    () => [CHANGE, { input: { id, status: 'FROZEN', expectedVersion: 2_147_483_647 } }],
    () => [
      RECORD,
      { input: { idempotencyKey: `last ${n}`, transactions: [{ accountId: id, direction: 'CREDIT', amount: '1' }] } },
    ],
    () => [
      TRANSFER,
      { input: { idempotencyKey: `last ${n}`, fromAccountId: id, toAccountId: twinAccountId(0), amount: '1' } },
    ],
  ])();
}

function severalRoots(world: World, random: Random, n: number): [string, object] {
  const [count, id] = [
    random.pick([2, 3, 5, 8, 31, 60, 200]),
    JSON.stringify(random.pick([...ACCOUNTS, ...world.theirIds])),
  ];
  return [
    `mutation { ${times(count, (m) => `m${m}: updateAccount(input: { id: ${id}, bankName: "Many ${n} ${m}" }) { account { version } userErrors { code } }`).join(' ')} }`,
    {},
  ];
}

function writes(name: string, make: (world: World, random: Random, n: number) => [string, object]): Kind {
  return {
    name,
    attempts: (world, random, count) => times(count, (n) => posting(world.tokens.ADMIN, ...make(world, random, n))),
  };
}

export const WRITE_KINDS: readonly Kind[] = [
  writes('idempotency keys', keys),
  writes('writes in a race', race),
  writes('changes of accounts', accounts),
  writes('the last version of an account', lastVersion),
  writes('many writes in one request', severalRoots),
  {
    name: 'writes by who may not',
    attempts: (world, random, count) =>
      times(count, (n) => {
        const { VIEWER, ANALYST, OPERATOR } = world.tokens;
        return posting(
          random.pick([VIEWER, ANALYST, OPERATOR]),
          ...random.pick([keys, race, accounts])(world, random, n),
        );
      }),
  },
];
