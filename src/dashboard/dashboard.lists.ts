import { ACCOUNT_COLUMNS } from '../accounts/account.repository.ts';
import { isRelation } from '../batching/batch-mapping.ts';
import { checkedSize, isSize } from '../graphql/input-checks.ts';
import { fieldsBelow, namesOf, type SelectedField } from '../graphql/selection.ts';
import { TRANSACTION_COLUMNS } from '../transactions/transaction.repository.ts';
import { type DashboardParts, joinLists, type ListPart, OF_ACCOUNT } from './dashboard.parts.ts';
import type { DashboardRow } from './dashboard.repository.ts';

/** The lists that were read with a dashboard, for the longest of its aliases. */
export type Lists = Pick<DashboardRow, 'topAccounts' | 'recentTransactions'>;

/** A field of a dashboard that is asked for. */
export type AskedField = Pick<SelectedField, 'name' | 'arguments' | 'fields'>;

/** The parts of a dashboard that its lists take. */
export function listParts(fields: readonly AskedField[]): Pick<DashboardParts, 'topAccounts' | 'recentTransactions'> {
  return {
    topAccounts: listPart(fields, 'topAccounts', (below) => columnsIn(ACCOUNT_COLUMNS, below)),
    recentTransactions: listPart(fields, 'recentTransactions', (below) => {
      const columns = columnsIn(TRANSACTION_COLUMNS, below);
      if (!namesOf(below).has('account')) return columns;
      const ofAccount = ['id', ...columnsIn(ACCOUNT_COLUMNS, fieldsBelow(below, 'account'))];
      return [...columns, 'accountId', ...ofAccount.map((name) => OF_ACCOUNT + name)];
    }),
  };
}

/** Whether something hangs on the lists that is not read with their rows. */
export function isMoreBelow(fields: readonly SelectedField[]): boolean {
  const accounts = [...fieldsBelow(fields, 'topAccounts'), ...fieldsBelow(fields, 'recentTransactions', 'account')];
  return accounts.some(isRelation);
}

/** Lists whose limit is refused are not read: their own field says why. */
function listPart(
  fields: readonly AskedField[],
  list: keyof Lists,
  columns: (below: readonly SelectedField[]) => readonly string[],
): ListPart | null {
  return fields
    .filter(({ name, arguments: { limit } }) => name === list && isSize(limit))
    .map(({ arguments: { limit }, fields: below }) => ({
      limit: limit as number,
      columns: [...new Set(columns(below))].sort(),
    }))
    .reduce<ListPart | null>(joinLists, null);
}

function columnsIn(columns: object, fields: readonly SelectedField[]): string[] {
  return [...namesOf(fields)].filter((name) => name in columns);
}

/** The first rows of a list that was read for the longest of its aliases. */
export function firstOf<Row>(list: readonly Row[] | null | undefined, limit: unknown): readonly Row[] {
  const size = checkedSize('limit', limit as number);
  if (!list) throw new Error('a list of a dashboard is read with it, and never alone');
  return list.slice(0, size);
}
