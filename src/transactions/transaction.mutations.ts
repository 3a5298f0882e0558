import type { ComplexityEstimatorArgs } from 'graphql-query-complexity';
import { Arg, Authorized, Ctx, Mutation, Resolver } from 'type-graphql';
import { type Permission, roleFor } from '../auth/permissions.ts';
import { changedWith } from '../cache/dependencies/dependencies.ts';
import { RequestContext } from '../context/request-context.ts';
import { runWrite } from '../context/run-write.ts';
import { TRANSACTION_POINTS, WRITE_POINTS } from '../graphql/prices.ts';
import { sentences } from '../graphql/sentences.ts';
import { checkedKey, checkedTransactions, checkedTransfer } from './ledger.input-checks.ts';
import { recordTransactions, transfer } from './ledger.service.ts';
import { RecordTransactionsInput, TransferInput } from './transaction.input.ts';
import { RecordTransactionsPayload, TransferPayload } from './transaction.payload.ts';

@Resolver()
export class TransactionMutations {
  @Authorized<Permission>('writeTransactions')
  @Mutation(() => RecordTransactionsPayload, {
    complexity: costOfTransactions,
    description: sentences(
      `Records transactions, all or none. Needs ${roleFor('writeTransactions')}.`,
      'Only ACTIVE accounts take debits, and all but CLOSED ones take credits.',
      'A debit never overdraws a CHECKING, SAVINGS or INVESTMENT account.',
      'userErrors: ACCOUNT_NOT_FOUND, ACCOUNT_CLOSED, ACCOUNT_FROZEN, ACCOUNT_PENDING,',
      'INSUFFICIENT_FUNDS, BALANCE_OUT_OF_RANGE, BOOKED_TOO_EARLY, VERSION_OUT_OF_RANGE,',
      'IDEMPOTENCY_KEY_REUSED, TRANSACTION_DELETED.',
      'BOOKED_TOO_EARLY: transactions of that time are folded into totals.',
      'TRANSACTION_DELETED: the request was carried out before, and some of what it recorded is deleted.',
    ),
  })
  async recordTransactions(
    @Arg('input', () => RecordTransactionsInput, { description: 'The transactions and the key of the request.' })
    input: RecordTransactionsInput,
    @Ctx() context: RequestContext,
  ): Promise<RecordTransactionsPayload> {
    const key = checkedKey(input.idempotencyKey);
    const transactions = checkedTransactions(input.transactions);
    const { result, userErrors } = await runWrite(
      context,
      changedWith('bank_accounts', 'transactions'),
      (transaction) => recordTransactions(transaction, context.scope, key, transactions),
    );
    return { transactions: result ?? [], userErrors };
  }

  @Authorized<Permission>('writeTransactions')
  @Mutation(() => TransferPayload, {
    complexity: ({ childComplexity }) => WRITE_POINTS + 2 * TRANSACTION_POINTS + childComplexity,
    description: sentences(
      `Transfers an amount between two accounts of the tenant. Needs ${roleFor('writeTransactions')}.`,
      'Records a debit and a credit, both or none.',
      "The counterpartyBank of each is the other account's bank.",
      'The rules and userErrors of recordTransactions hold, and SAME_ACCOUNT and CURRENCY_MISMATCH.',
    ),
  })
  async transfer(
    @Arg('input', () => TransferInput, { description: 'The accounts, the amount and the key of the request.' })
    input: TransferInput,
    @Ctx() context: RequestContext,
  ): Promise<TransferPayload> {
    const key = checkedKey(input.idempotencyKey);
    const order = checkedTransfer(input);
    const { result, userErrors } = await runWrite(
      context,
      changedWith('bank_accounts', 'transactions'),
      (transaction) => transfer(transaction, context.scope, key, order),
    );
    const [debit = null, credit = null] = result ?? [];
    return { debit, credit, userErrors };
  }
}

/** What is selected of the payload comes as often as there are transactions. */
function costOfTransactions({ args, childComplexity }: ComplexityEstimatorArgs): number {
  return WRITE_POINTS + args.input.transactions.length * (TRANSACTION_POINTS + childComplexity);
}
