import type { AccountLists } from './account.lists.ts';
import type { createAccountLoaders } from './account.loaders.ts';
import type { AccountRepository } from './account.repository.ts';

declare module '../context/services.ts' {
  interface Services {
    readonly accounts: AccountRepository;
    readonly accountLists: AccountLists;
  }
  interface Loaders {
    readonly accounts: ReturnType<typeof createAccountLoaders>;
  }
}
