import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Authorized, Ctx, Info, Query, Resolver } from 'type-graphql';
import { type Permission, roleFor } from '../auth/permissions.ts';
import { connectionOf } from '../batching/connections.ts';
import { NeverKept } from '../cache/response/cache-control.ts';
import { RequestContext } from '../context/request-context.ts';
import { badUserInput } from '../errors.ts';
import { pageCost, type Scanned } from '../graphql/complexity.ts';
import { checkedInstant, checkedSearchText } from '../graphql/input-checks.ts';
import { CONNECTION_COUNT, ConnectionArgs } from '../graphql/pagination.ts';
import { DateTimeScalar } from '../graphql/scalars.ts';
import { namesOf } from '../graphql/selection.ts';
import { sentences } from '../graphql/sentences.ts';
import { AUDIT_ORDER } from './audit.repository.ts';
import { AuditEntryConnection } from './audit.type.ts';
import { AUDIT_ACTIONS } from './audit-actions.ts';

@Resolver()
export class AuditResolver {
  @NeverKept()
  @Authorized<Permission>('readAuditLog')
  @Query(() => AuditEntryConnection, {
    complexity: pageCost({
      scannedToFind: searchedLines,
      scannedToCount: (args) => searchedLines(args) ?? 'countedAuditLines',
      countFields: CONNECTION_COUNT,
    }),
    description: sentences(
      `Who did what in the tenant, newest first. Needs ${roleFor('readAuditLog')}. Never from the cache.`,
      'What was refused or failed shows within some seconds, equal refusals of callers after a minute.',
    ),
  })
  async auditLog(
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Arg('since', () => DateTimeScalar, {
      nullable: true,
      description: 'Only entries of this time or later. Absent: all.',
    })
    since: string | null,
    @Arg('who', () => String, { nullable: true, description: 'Only entries with exactly this subject. Absent: all.' })
    who: string | null,
    @Arg('what', () => String, {
      nullable: true,
      description: "Only entries of this action: a mutation's name, `refresh`, `token` or a command. Absent: all.",
    })
    what: string | null,
    @Ctx() context: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ) {
    const { scope, services } = context;
    const filter = {
      since: since == null ? null : checkedInstant('since', since),
      who: who == null ? null : checkedSearchText('who', who),
      what: what == null ? null : checkedAction(what),
    };
    return connectionOf(context, args, info, {
      name: 'auditLog',
      remedy: 'give since, or a later one',
      order: AUDIT_ORDER,
      isSearched: searchedLines({ who, what }) !== undefined,
      page: (request, shown) => services.auditLines.page(scope, filter, request, namesOf(shown)),
      count: () => services.auditLines.count(scope, filter),
    });
  }
}

/** By who or what, lines are in no order. */
function searchedLines({ who, what }: { who?: string | null; what?: string | null }): Scanned | undefined {
  return who == null && what == null ? undefined : 'auditLines';
}

/** What is never recorded is rather a mistyped action than one that was not done. */
function checkedAction(what: string): string {
  if (!AUDIT_ACTIONS.includes(what)) throw badUserInput('what', `one of ${AUDIT_ACTIONS.join(', ')}`, what);
  return what;
}
