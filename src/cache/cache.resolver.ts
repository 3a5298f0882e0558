import { Arg, Authorized, Ctx, Mutation, Resolver } from 'type-graphql';
import { Role } from '../context/caller.ts';
import { RequestContext } from '../context/request-context.ts';
import { badUserInput } from '../errors.ts';
import { CacheNamespace, InvalidateCacheInput, InvalidateCachePayload } from './cache.input.ts';
import { type CacheDependency, NAMESPACES, PATTERNS } from './namespaces.ts';

@Resolver()
export class CacheResolver {
  @Authorized(Role.ADMIN)
  @Mutation(() => InvalidateCachePayload, {
    description:
      'Makes kept answers old. Takes the same time whatever their number; needed only after changes that nobody saw.',
  })
  async invalidateCache(
    @Arg('input', () => InvalidateCacheInput) input: InvalidateCacheInput,
    @Ctx() { scope, services }: RequestContext,
  ): Promise<InvalidateCachePayload> {
    const dependencies = dependenciesOf(input);
    await services.cache.invalidate(scope, dependencies);
    return { namespaces: namespacesOf(dependencies), userErrors: [] };
  }
}

function dependenciesOf({ namespaces, pattern }: InvalidateCacheInput): readonly CacheDependency[] {
  if (namespaces != null && pattern != null)
    throw badUserInput('input.pattern', 'absent when namespaces are given', pattern);
  if (pattern != null) {
    const known = PATTERNS.get(pattern);
    if (!known) throw badUserInput('input.pattern', `one of ${[...PATTERNS.keys()].join(', ')}`, pattern);
    return known;
  }
  return namespaces?.length ? namespaces.map((name) => name.toLowerCase() as CacheDependency) : NAMESPACES;
}

/** The namespaces that the caller knows; `tenant` is no kind of answer of its own. */
function namespacesOf(dependencies: readonly CacheDependency[]): CacheNamespace[] {
  const names = new Set(dependencies.map((dependency) => dependency.split(':', 1)[0]?.toUpperCase()));
  return Object.values(CacheNamespace).filter((name) => names.has(name));
}
