import { columnsIdentity, LoaderFamily } from '../graphql/loader-family.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { AccountRepository } from './account.repository.ts';
import type { BankAccount } from './account.type.ts';

export function createAccountLoaders(scope: TenantScope, accounts: AccountRepository) {
  const byId = new LoaderFamily<ReadonlySet<string>, string, BankAccount | null>(
    async (ids, wanted) => new Map((await accounts.byIds(scope, ids, wanted)).map((account) => [account.id, account])),
    () => null,
  );
  return {
    /** The account with this id, or null; accounts asked for in one tick cost one statement. */
    byId: (id: string, wanted: ReadonlySet<string>) => byId.of(columnsIdentity(wanted), wanted).load(id),
  };
}
