import { ask } from './answers.ts';
import { DASHBOARD, graphqlRequest, NESTED_LIST } from './operations.ts';
import type { Server } from './servers.ts';
import type { KnownTenant } from './subjects.ts';

const PAGE_SIZE = 20;
const FAR_PAGE = 1_000;
/** Rows that one request of the walk to the far page passes. */
const STRIDE = 100;
const YEAR_MS = 365 * 24 * 3600 * 1000;

const STATISTICS = `query Statistics($from: Date!, $to: Date!) {
  statistics(period: WEEKLY, from: $from, to: $to) {
    from
    to
    totals { currency transactionCount inflow outflow net }
    buckets { start end flows { currency transactionCount inflow outflow net } }
  }
}`;

type List = 'accounts' | 'transactions';

const FIELDS: Record<List, string> = {
  accounts: 'id bankName accountNumber balance currency createdAt',
  transactions: 'id bookedAt direction amount currency category',
};

/** Takes as long at every step: what it takes more is the machine's, not the data's. */
export const YARDSTICK = 'yardstick: tenant by id';

/** One thing that a caller of the service waits for. */
export interface ScaleOperation {
  readonly title: string;
  readonly bytes: Buffer;
}

/** What is measured at each step, for one tenant. */
export async function scaleOperations(server: Server, tenant: KnownTenant, lastDay: string): Promise<ScaleOperation[]> {
  const request = (query: string, variables?: object) => graphqlRequest(server.port, tenant.token, query, variables);
  const from = new Date(Date.parse(lastDay) - YEAR_MS).toISOString().slice(0, 10);
  const pages = async (list: List) => {
    const { page, cursor } = await farPage(server, tenant, list);
    return [
      { title: `${list}, first page`, bytes: request(pageQuery(list), { first: PAGE_SIZE }) },
      { title: farTitle(list, page), bytes: request(pageQuery(list), { first: PAGE_SIZE, after: cursor }) },
    ];
  };
  return [
    { title: YARDSTICK, bytes: request('query Yardstick { tenant { id name } }') },
    { title: 'dashboard', bytes: request(DASHBOARD, { date: lastDay }) },
    { title: 'statistics, a year of weeks', bytes: request(STATISTICS, { from, to: lastDay }) },
    ...(await pages('accounts')),
    ...(await pages('transactions')),
    { title: 'nested list', bytes: request(NESTED_LIST) },
  ];
}

/** A smaller tenant has no such page: its last one is taken then. */
function farTitle(list: List, page: number): string {
  return `${list}, page 1,000${page < FAR_PAGE ? ' or last' : ''}`;
}

/** Walks to the page as a client would, in longer strides. */
async function farPage(
  server: Server,
  tenant: KnownTenant,
  list: List,
): Promise<{ page: number; cursor: string | null }> {
  const goal = (FAR_PAGE - 1) * PAGE_SIZE;
  let passed = 0;
  let cursor: string | null = null;
  while (passed < goal) {
    const first = Math.min(STRIDE, goal - passed);
    const bytes = graphqlRequest(server.port, tenant.token, pageQuery(list), { first, after: cursor });
    const [body] = await ask(server.port, [bytes]);
    const { nodes, pageInfo } = JSON.parse(String(body)).data[list];
    if (!pageInfo.hasNextPage) break; // stays on the page before: so many rows the last one has at most
    passed += nodes.length;
    cursor = pageInfo.endCursor;
  }
  return { page: passed / PAGE_SIZE + 1, cursor };
}

function pageQuery(list: List): string {
  return `query Page($first: Int!, $after: String) {
    ${list}(first: $first, after: $after) { nodes { ${FIELDS[list]} } pageInfo { hasNextPage endCursor } }
  }`;
}
