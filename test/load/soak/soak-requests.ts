import { dataOf } from '../bench/answers.ts';
import type { HttpAnswer } from '../bench/http-answer.ts';
import { graphqlRequest, RECORD_TRANSACTION } from '../bench/operations.ts';
import type { KnownTenant } from '../bench/subjects.ts';

/** Answers of every namespace: each holds the tenant's id, and its marker after `mark`. */
const READS = [
  { query: 'query Dashboard { tenant { id } dashboard { overview { balances { amount } } } }', mark: '"amount":"' },
  { query: 'query Accounts { tenant { id } accounts(first: 5) { nodes { balance } } }', mark: '"balance":"' },
  { query: 'query Account($id: ID!) { tenant { id } account(id: $id) { balance } }', mark: '"balance":"' },
  { query: 'query Statistics { tenant { id } statistics(period: MONTHLY) { totals { inflow } } }', mark: '"inflow":"' },
] as const;
const WRITTEN_MARK = '"balanceAfter":"';
/** No marker has more digits, its decimals included. */
const MARKER_CHARACTERS = 24;

/** A read of one tenant, ready to be sent. */
export interface SoakRead {
  readonly bytes: Buffer;
  /** What is read, for the findings. */
  readonly title: string;
  /**
   * The marker in the answer. @returns undefined when the answer is not this tenant's. @throws when
   * it is none
   */
  markerIn(answer: HttpAnswer): number | undefined;
}

/** The reads of a tenant, as one process of the service takes them. */
export function readsOf(port: number, { id, accountId, token }: KnownTenant): SoakRead[] {
  return READS.map(({ query, mark }) => ({
    bytes: graphqlRequest(port, token, query, query.includes('$id') ? { id: accountId } : {}),
    title: /query (\w+)/.exec(query)?.[1] ?? query,
    markerIn: (answer) => (dataOf(answer).includes(id) ? numberAfter(answer.body, mark) : undefined),
  }));
}

/** A payment of 1 into the tenant's account. */
export function writeOf(port: number, { accountId, token }: KnownTenant, idempotencyKey: string): Buffer {
  const transactions = [{ accountId, direction: 'CREDIT', amount: '1.0000' }];
  return graphqlRequest(port, token, RECORD_TRANSACTION, { input: { idempotencyKey, transactions } });
}

/** The tenant's marker after a write. @throws when the write was refused */
export function writtenMarkerIn(answer: HttpAnswer): number {
  return numberAfter(dataOf(answer), WRITTEN_MARK);
}

function numberAfter(body: Buffer, mark: string): number {
  const at = body.indexOf(mark);
  if (at === -1) throw new Error(`expected ${mark}, but got: ${body.toString('utf8', 0, 1_000)}`);
  return Number.parseInt(body.toString('latin1', at + mark.length, at + mark.length + MARKER_CHARACTERS), 10);
}
