import type { createTransactionLoaders } from './transaction.loaders.ts';
import type { TransactionRepository } from './transaction.repository.ts';

declare module '../context/services.ts' {
  interface Services {
    readonly transactions: TransactionRepository;
  }
  interface Loaders {
    readonly transactions: ReturnType<typeof createTransactionLoaders>;
  }
}
