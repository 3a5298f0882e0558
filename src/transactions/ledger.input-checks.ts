import { badUserInput } from '../errors.ts';
import { Prisma } from '../generated/prisma/client.ts';
import { checkedAmount, checkedId, checkedKeptInstant, checkedText } from '../graphql/input-checks.ts';
import { LIMITS, type TextLimit } from '../limits.ts';
import type { NewTransaction } from './ledger.rules.ts';
import type { Transfer } from './ledger.service.ts';
import type { TransactionInput, TransferInput } from './transaction.input.ts';

/** Transactions of one request: more than this hold their accounts for long. */
const MAX_TRANSACTIONS = 1000;

const OF_TRANSACTION = LIMITS.transactions;

/** @throws BAD_USER_INPUT */
export function checkedKey(idempotencyKey: string): string {
  return checkedText('input.idempotencyKey', idempotencyKey, LIMITS.idempotency_keys.key);
}

/**
 * The transactions as they are kept: what means the same is written the same, so that a repeated
 * request is known again.
 * @throws BAD_USER_INPUT naming the first place that does not hold
 */
export function checkedTransactions(inputs: readonly TransactionInput[]): NewTransaction[] {
  if (inputs.length < 1 || inputs.length > MAX_TRANSACTIONS)
    throw badUserInput('input.transactions', `a list of 1 to ${MAX_TRANSACTIONS} transactions`, inputs.length);
  return inputs.map((input, index) => checkedTransaction(`input.transactions[${index}]`, input));
}

/** @throws BAD_USER_INPUT */
export function checkedTransfer({ fromAccountId, toAccountId, amount, description }: TransferInput): Transfer {
  return {
    fromAccountId: checkedId('input.fromAccountId', fromAccountId),
    toAccountId: checkedId('input.toAccountId', toAccountId),
    amount: normalAmount('input.amount', amount),
    description: optionalText('input.description', description, OF_TRANSACTION.description),
  };
}

function checkedTransaction(place: string, input: TransactionInput): NewTransaction {
  const { accountId, direction, amount, bookedAt, category, counterpartyBank, description } = input;
  return {
    accountId: checkedId(`${place}.accountId`, accountId),
    direction,
    amount: normalAmount(`${place}.amount`, amount),
    bookedAt: bookedAt == null ? null : checkedKeptInstant(`${place}.bookedAt`, bookedAt),
    category: optionalText(`${place}.category`, category, OF_TRANSACTION.category),
    counterpartyBank: optionalText(`${place}.counterpartyBank`, counterpartyBank, OF_TRANSACTION.counterparty_bank),
    description: optionalText(`${place}.description`, description, OF_TRANSACTION.description),
  };
}

/** 1.5, +1.50 and 01.5 are one amount. */
function normalAmount(argument: string, amount: string): string {
  return new Prisma.Decimal(checkedAmount(argument, amount)).toFixed();
}

function optionalText(argument: string, text: string | null | undefined, limit: TextLimit): string | null {
  return text == null ? null : checkedText(argument, text, limit);
}
