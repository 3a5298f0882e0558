import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Authorized, Ctx, Info, Query, Resolver } from 'type-graphql';
import { NeverKept } from '../cache/cache-control.ts';
import { Role } from '../context/caller.ts';
import { RequestContext } from '../context/request-context.ts';
import { pageCost } from '../graphql/complexity.ts';
import { checkedInstant, checkedSearchText } from '../graphql/input-checks.ts';
import { ConnectionArgs, connection, ifSelected, nodeFields, pageRequest } from '../graphql/pagination.ts';
import { DateTimeScalar } from '../graphql/scalars.ts';
import { namesOf, selectedFields } from '../graphql/selection.ts';
import { AUDIT_ORDER } from './audit.repository.ts';
import { AuditEntryConnection } from './audit.type.ts';

@Resolver()
export class AuditResolver {
  @NeverKept()
  @Authorized(Role.ADMIN)
  @Query(() => AuditEntryConnection, {
    complexity: pageCost,
    description: 'Who did what in the tenant, newest first. What was refused or failed shows within some seconds.',
  })
  async auditLog(
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Arg('since', () => DateTimeScalar, { nullable: true, description: 'From then on.' }) since: string | null,
    @Arg('who', () => String, { nullable: true, description: 'Only of this subject.' }) who: string | null,
    @Arg('what', () => String, { nullable: true, description: 'Only this mutation, refresh or command.' })
    what: string | null,
    @Ctx() { scope, services }: RequestContext,
    @Info() info: GraphQLResolveInfo,
  ) {
    const fields = selectedFields(info);
    const filter = {
      since: since == null ? null : checkedInstant('since', since),
      who: searched('who', who),
      what: searched('what', what),
    };
    const request = pageRequest(args, AUDIT_ORDER, fields);
    const [page, totalCount] = await Promise.all([
      services.auditLines.page(scope, filter, request, namesOf(nodeFields(fields))),
      ifSelected(fields, ['totalCount'], () => services.auditLines.count(scope, filter)),
    ]);
    return connection(page, AUDIT_ORDER, totalCount ?? 0, fields);
  }
}

function searched(argument: string, text: string | null | undefined): string | null {
  return text == null ? null : checkedSearchText(argument, text);
}
