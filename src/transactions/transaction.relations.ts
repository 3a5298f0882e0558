import { ACCOUNT_RELATIONS } from '../accounts/account.relations.ts';
import type { BankAccount } from '../accounts/account.type.ts';
import type { RequestContext } from '../context/request-context.ts';
import { type Relation, type Relations, withRelations } from '../graphql/relation.ts';
import { namesOf, type SelectedField } from '../graphql/selection.ts';
import type { WithAccount } from './transaction.repository.ts';
import type { Transaction } from './transaction.type.ts';

const account: Relation<Transaction & WithAccount> = {
  async load(context, transactions, { fields }) {
    context.policy.dependsOn('accounts');
    const read = transactions.flatMap(({ account }) => account ?? []);
    const accounts = read.length > 0 ? read : await accountsOf(context, transactions, fields);
    const whole = await withRelations(context, ACCOUNT_RELATIONS, accounts, fields);
    const byId = new Map(whole.map((account) => [account.id, account]));
    return transactions.map(({ accountId }) => byId.get(accountId) ?? null);
  },
};

/** What hangs on transactions. */
export const TRANSACTION_RELATIONS: Relations<Transaction> = { account };

/** Each account once. */
async function accountsOf(
  { loaders }: RequestContext,
  transactions: readonly Transaction[],
  fields: readonly SelectedField[],
): Promise<BankAccount[]> {
  const ids = [...new Set(transactions.map(({ accountId }) => accountId))];
  const found = await loaders.accounts.byIds(ids, namesOf(fields));
  return ids.flatMap((id) => found.get(id) ?? []);
}
