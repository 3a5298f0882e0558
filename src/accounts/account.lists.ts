import { createHash } from 'node:crypto';
import type { DataCache } from '../cache/data/data-cache.ts';
import { withNames } from '../cache/data/parts.ts';
import { wholeValue } from '../cache/data/whole-value.ts';
import type { FollowedTable } from '../cache/dependencies/dependencies.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import type { Count } from '../paging/bounded-count.ts';
import type { KeysetOrder, Page, PageRequest } from '../paging/keyset.ts';
import type { TenantScope } from '../tenancy/tenant-scope.ts';
import { accountConditions } from './account.filter.ts';
import type { AccountFilter } from './account.input.ts';
import type { AccountRepository, NumberedPage } from './account.repository.ts';
import type { BankAccount } from './account.type.ts';

/**
 * Stands among the columns for `exactEnds` of a page: whoever needs it not is served by a page that
 * has it.
 */
const EXACT_ENDS = 'exactEnds';

/**
 * Lists of accounts, kept under `accounts:list:{hash}`: a page for whatever columns are selected of
 * it, and how many accounts satisfy a filter for all its pages.
 */
export class AccountLists {
  constructor(
    private readonly accounts: AccountRepository,
    private readonly data: DataCache,
    private readonly ttlSeconds: number,
  ) {}

  page(
    scope: TenantScope,
    conditions: readonly Prisma.Sql[],
    order: KeysetOrder,
    page: PageRequest,
    wanted: ReadonlySet<string>,
  ): Promise<Page<BankAccount>> {
    const { exactEnds, ...place } = page;
    const asked = new Set([...wanted, ...(exactEnds ? [EXACT_ENDS] : [])]);
    return this.#rows(scope, ['page', conditions, order, place], asked, (columns) =>
      this.accounts.page(scope, conditions, order, { ...place, exactEnds: columns.has(EXACT_ENDS) }, columns),
    );
  }

  numberedPage(
    scope: TenantScope,
    conditions: readonly Prisma.Sql[],
    order: KeysetOrder,
    page: NumberedPage,
    wanted: ReadonlySet<string>,
  ): Promise<BankAccount[]> {
    return this.#rows(scope, ['numberedPage', conditions, order, page], wanted, (columns) =>
      this.accounts.numberedPage(scope, conditions, order, page, columns),
    );
  }

  /** @param onRead told how many kept totals were added up, if any */
  async count(scope: TenantScope, filter: AccountFilter | null, onRead: (totals: number) => void): Promise<Count> {
    const load = () => this.accounts.count(scope, filter, onRead);
    const kept = this.#kept(['count', accountConditions(filter)], ['bank_accounts', 'account_totals']);
    return (await this.data.read(scope, wholeValue(kept, load))).value;
  }

  async #rows<Rows>(
    scope: TenantScope,
    identity: ListIdentity,
    asked: ReadonlySet<string>,
    load: (columns: ReadonlySet<string>) => Promise<Rows>,
  ): Promise<Rows> {
    const { value } = await this.data.read(scope, withNames(this.#kept(identity, ['bank_accounts']), asked, load));
    return value.value;
  }

  #kept(identity: ListIdentity, tables: readonly FollowedTable[]) {
    return {
      key: ['accounts', 'list', hashOf(identity)],
      tables,
      dependencies: ['accounts', 'accounts:list'],
      ttlSeconds: this.ttlSeconds,
    } as const;
  }
}

/** What tells one list from another: its kind, its filter, and for a page its order and place. */
type ListIdentity = readonly [string, readonly Prisma.Sql[], KeysetOrder?, object?];

function hashOf([kind, conditions, order, place]: ListIdentity): string {
  const filter = conditions.map(({ text, values }) => [text, values]);
  const identity = JSON.stringify([kind, filter, order?.name, order?.descending, place]);
  return createHash('sha256').update(identity).digest('base64url');
}
