import DataLoader from 'dataloader';
import { columnsIdentity, ShapedLoader } from '../batching/shaped-loader.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { AccountRows } from './account.rows.ts';
import type { BankAccount } from './account.type.ts';

interface AskedNumber {
  readonly accountNumber: string;
  /** Null: at any bank. */
  readonly bankName: string | null;
}

export function createAccountLoaders(scope: TenantScope, rows: AccountRows) {
  const byId = new ShapedLoader<ReadonlySet<string>, BankAccount>(
    async (ids, wanted) => new Map((await rows.byIds(scope, ids, wanted)).map((account) => [account.id, account])),
  );
  const byNumber = new DataLoader<AskedNumber, BankAccount | null, string>(
    // Few are asked for at once: a statement each.
    (asked) =>
      Promise.all(
        asked.map(({ accountNumber, bankName }) =>
          rows.byNumber(scope, accountNumber, bankName).catch((error: Error) => error),
        ),
      ),
    { cacheKeyFn: ({ accountNumber, bankName }) => JSON.stringify([accountNumber, bankName]) },
  );
  return {
    /**
     * The accounts with these ids, null for those that the tenant does not have; one statement for
     * all of a level.
     */
    byIds: (ids: readonly string[], wanted: ReadonlySet<string>) => byId.all(ids, columnsIdentity(wanted), wanted),
    /** The oldest account with this number; null when the tenant has none. */
    byNumber: (asked: AskedNumber) => byNumber.load(asked),
  };
}
