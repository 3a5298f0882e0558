import { Ctx, FieldResolver, Query, Resolver } from 'type-graphql';
import { PerViewer } from '../cache/response/cache-control.ts';
import { RequestContext } from '../context/request-context.ts';
import { unauthenticated } from '../errors.ts';
import { STATEMENT_POINTS } from '../graphql/prices.ts';
import type { CurrentDay } from './tenant.repository.ts';
import { Tenant } from './tenant.type.ts';
import { Viewer } from './viewer.type.ts';

@Resolver(() => Viewer)
export class ViewerResolver {
  @PerViewer()
  @Query(() => Viewer, { description: 'Who is asking.' })
  viewer(@Ctx() { caller, policy }: RequestContext): Viewer {
    if (!caller) throw unauthenticated();
    policy.isOfKind('other');
    return { id: caller.subject, name: caller.name, role: caller.role };
  }

  @Query(() => Tenant, { complexity: STATEMENT_POINTS, description: "The caller's tenant." })
  async tenant(@Ctx() context: RequestContext): Promise<Tenant> {
    context.policy.isOfKind('other');
    return currentTenant(context);
  }

  @FieldResolver(() => Tenant, {
    nullable: true,
    name: 'tenant',
    complexity: STATEMENT_POINTS,
    description: 'Tenant of the caller; null for an OPERATOR.',
  })
  async viewerTenant(@Ctx() context: RequestContext): Promise<Tenant | null> {
    return context.caller?.tenant ? currentTenant(context) : null;
  }
}

/**
 * A tenant that was deleted after its token was verified is answered like a token that does not
 * hold.
 */
export async function currentTenant({ loaders }: RequestContext): Promise<Tenant> {
  const tenant = await loaders.tenants.current();
  if (!tenant) throw unauthenticated();
  return tenant;
}

/** Its calendar day, likewise. */
export async function currentDay({ loaders }: RequestContext): Promise<CurrentDay> {
  const day = await loaders.tenants.day();
  if (!day) throw unauthenticated();
  return day;
}
