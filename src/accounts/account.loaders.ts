import { columnsIdentity, LoaderFamily } from '../batching/loader-family.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import type { AccountRepository } from './account.repository.ts';
import type { BankAccount } from './account.type.ts';

export function createAccountLoaders(scope: TenantScope, accounts: AccountRepository) {
  const byId = new LoaderFamily<ReadonlySet<string>, string, BankAccount>(
    async (ids, wanted) => new Map((await accounts.byIds(scope, ids, wanted)).map((account) => [account.id, account])),
  );
  return {
    /**
     * The accounts with these ids, without those that the tenant does not have; one statement for
     * all of a level.
     */
    byIds: (ids: readonly string[], wanted: ReadonlySet<string>) => byId.of(ids, columnsIdentity(wanted), wanted),
  };
}
