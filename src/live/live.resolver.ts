import { Arg, ID, Resolver, Root, Subscription } from 'type-graphql';
import { BankAccount } from '../accounts/account.type.ts';
import { Dashboard } from '../dashboard/dashboard.type.ts';
import { DateScalar } from '../graphql/scalars.ts';
import { sentences } from '../graphql/sentences.ts';
import { CacheNamespace } from '../invalidation/cache.input.ts';
import { TenantChange } from './tenant-change.type.ts';

const AFTER = {
  nullable: true,
  description: sentences(
    'The cursor of the last event that came, from extensions.cursor.',
    'What has changed since is told at once, and nothing when nothing has.',
    'Absent: the first event tells how it is now.',
  ),
};

/**
 * The fields of Subscription, as the schema shows them. `changes` is executed with its event as the
 * root; the others are computed as the query of the same arguments (`live-plan.ts`).
 */
@Resolver()
export class LiveResolver {
  @Subscription(() => Dashboard, {
    subscribe: neverByGraphqlJs,
    description: sentences(
      "The tenant's dashboard as of a day: as it is now, then whenever it is another.",
      'At most ten events in a second; the last state always comes.',
    ),
  })
  dashboardChanged(
    @Arg('date', () => DateScalar, {
      nullable: true,
      description: "Last day of the activity. Absent: the tenant's today, also when that is the next day.",
    })
    _date: string | null,
    @Arg('after', () => String, AFTER) _after: string | null,
    @Root() dashboard: Dashboard,
  ): Dashboard {
    return dashboard;
  }

  @Subscription(() => BankAccount, {
    subscribe: neverByGraphqlJs,
    nullable: true,
    description: sentences(
      'The account with this id: as it is now, then whenever it is another.',
      'null when the tenant has none, and once it is deleted.',
      'At most ten events in a second; the last state always comes.',
    ),
  })
  accountChanged(
    @Arg('id', () => ID, { description: 'Id of the account, a UUID.' }) _id: string,
    @Arg('after', () => String, AFTER) _after: string | null,
    @Root() account: BankAccount | null,
  ): BankAccount | null {
    return account;
  }

  @Subscription(() => TenantChange, {
    subscribe: neverByGraphqlJs,
    description: sentences(
      "That something of the tenant's data may be another, whoever changed it: what to ask for again.",
      'At most ten events in a second.',
    ),
  })
  changes(
    @Arg('namespaces', () => [CacheNamespace], {
      nullable: true,
      description: 'Of which kinds of answers, at least one. Absent: of all.',
    })
    _namespaces: CacheNamespace[] | null,
    @Arg('after', () => String, {
      nullable: true,
      description: sentences(
        'The cursor of the last event that came: what has changed since is told at once.',
        'Absent: from now on.',
      ),
    })
    _after: string | null,
    @Root() change: TenantChange,
  ): TenantChange {
    return change;
  }
}

/** TypeGraphQL asks for one. */
function neverByGraphqlJs(): never {
  throw new Error('subscriptions are carried out by src/live');
}
