import DataLoader from 'dataloader';
import { columnsIdentity, ShapedLoader } from '../batching/shaped-loader.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { AccountRepository } from './account.repository.ts';
import type { AccountRows } from './account.rows.ts';
import type { BankAccount } from './account.type.ts';

interface AskedNumber {
  readonly accountNumber: string;
  /** Null: at any bank. */
  readonly bankName: string | null;
}

export function createAccountLoaders(scope: TenantScope, accounts: AccountRepository, rows: AccountRows) {
  // A row by its key; several are a set, of which Prisma takes three times as long.
  const read = async (ids: readonly string[], wanted: ReadonlySet<string>) => {
    const [id = '', ...others] = ids;
    return others.length > 0 ? accounts.byIds(scope, ids, wanted) : [await rows.byId(scope, id, wanted)];
  };
  const byId = new ShapedLoader<ReadonlySet<string>, BankAccount>(async (ids, wanted) => {
    const found = await read(ids, wanted);
    return new Map(found.flatMap((account) => (account ? [[account.id, account] as const] : [])));
  });
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
