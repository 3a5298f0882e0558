const FLOW = 'currency transactionCount inflow outflow net';
const GROUP = 'key count balances { currency amount }';
const DATE = 'date: "2025-03-31"';

/** Root fields that data entries serve, in many selections of the same. */
export const SELECTIONS: readonly string[] = [
  ...['', `(${DATE})`].flatMap((args) =>
    [
      'date',
      'overview { totalAccounts activeAccounts balances { currency amount } }',
      `accountsByType { ${GROUP} } accountsByStatus { ${GROUP} } accountsByBank { ${GROUP} }`,
      `activity(days: 7) { totals { ${FLOW} } }`,
      `year: activity(days: 366) { series { date flows { ${FLOW} } } } week: activity(days: 7) { totals { ${FLOW} } series { date } }`,
      `overview { totalAccounts } activity { totals { ${FLOW} } series { date flows { ${FLOW} } } }`,
      'topAccounts { id balance version } recentTransactions { id amount }',
      'topAccounts(limit: 30) { id accountNumber createdAt isActive } t: topAccounts { status }',
      'recentTransactions { bookedAt category description account { bankName balance updatedAt } }',
      'recentTransactions(limit: 50) { id balanceAfter counterpartyBank account { id } }',
    ].map((parts) => `dashboard${args} { ${parts} }`),
  ),
  ...['DAILY', 'QUARTERLY'].flatMap((period) =>
    ['', ', from: "2025-01-15", to: "2025-06-30"'].flatMap((range) =>
      [
        'period from to',
        `totals { ${FLOW} }`,
        `buckets { start end flows { ${FLOW} } }`,
        `byCategory { category flows { ${FLOW} } } totals { net currency }`,
        `from buckets { end flows { inflow } } byCategory { category } totals { ${FLOW} }`,
      ].map((parts) => `statistics(period: ${period}${range}) { ${parts} }`),
    ),
  ),
  ...['WEEKLY', 'MONTHLY', 'YEARLY'].map(
    (period) => `statistics(period: ${period}) { buckets { start flows { net } } }`,
  ),
  ...[
    '',
    '(first: 7)',
    '(last: 5)',
    '(first: 50, filter: { isActive: true }, orderBy: { field: BALANCE, direction: DESC })',
    '(filter: { minBalance: "-12.5", maxBalance: "100", createdFrom: "2020-01-01T00:00:00Z" }, orderBy: { field: BANK_NAME })',
    '(filter: { bankName: "none" })',
  ].flatMap((args) =>
    [
      'nodes { id balance }',
      'totalCount',
      'pageInfo { hasNextPage hasPreviousPage startCursor endCursor }',
      'edges { cursor node { accountNumber updatedAt isActive } } pageInfo { endCursor } totalCount',
      'nodes { bankName status tenant { slug } transactions(first: 2) { nodes { id amount } } }',
    ].map((parts) => `accounts${args} { ${parts} }`),
  ),
  ...[
    '',
    '(page: 2, pageSize: 7)',
    '(filter: { status: ACTIVE }, orderBy: { field: UPDATED_AT, direction: DESC })',
  ].flatMap((args) =>
    ['results { id currency }', 'count totalPages page', 'results { accountType version createdAt } count'].map(
      (parts) => `accountList${args} { ${parts} }`,
    ),
  ),
];

/**
 * The statements whose results are kept; of the others, as for what hangs on rows, there may be
 * some at a hit too.
 */
export const KEPT_STATEMENTS: ReadonlySet<string> = new Set([
  ...['Dashboard.parts', 'Statistics.sums'],
  ...['BankAccount.page', 'BankAccount.numberedPage', 'BankAccount.count', 'BankAccount.keptCount'],
]);
