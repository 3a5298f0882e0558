import { Arg, Authorized, Ctx, Mutation, Resolver } from 'type-graphql';
import { type Permission, roleFor } from '../auth/permissions.ts';
import { type Invalidation, invalidationOf, NAMED, PATTERN_FORMS } from '../cache/dependencies/patterns.ts';
import { RequestContext } from '../context/request-context.ts';
import { badUserInput } from '../errors.ts';
import { WRITE_POINTS } from '../graphql/prices.ts';
import { sentences } from '../graphql/sentences.ts';
import { CacheNamespace, InvalidateCacheInput, InvalidateCachePayload } from './cache.input.ts';

@Resolver()
export class CacheResolver {
  @Authorized<Permission>('invalidateCache')
  @Mutation(() => InvalidateCachePayload, {
    complexity: WRITE_POINTS,
    description: sentences(
      `Invalidates the tenant's cached answers. Needs ${roleFor('invalidateCache')}.`,
      'It takes the same time for any number of answers.',
      'Writes invalidate what they change: this is needed only where one went unnoticed.',
    ),
  })
  async invalidateCache(
    @Arg('input', () => InvalidateCacheInput, { description: 'What to invalidate.' }) input: InvalidateCacheInput,
    @Ctx() { scope, services }: RequestContext,
  ): Promise<InvalidateCachePayload> {
    const { dependencies, namespaces } = invalidationAsked(input);
    await services.tenantCache.invalidate(scope, ...dependencies);
    return {
      namespaces: namespaces.map((name) => CacheNamespace[name.toUpperCase() as CacheNamespace]),
      userErrors: [],
    };
  }
}

function invalidationAsked({ namespaces, pattern }: InvalidateCacheInput): Invalidation {
  if (namespaces != null && pattern != null)
    throw badUserInput('input.pattern', 'absent when namespaces are given', pattern);
  if (namespaces != null) return invalidationOfNamespaces(namespaces);
  const asked = invalidationOf(pattern ?? '*');
  if (!asked) throw badUserInput('input.pattern', `one of ${PATTERN_FORMS.join(', ')}`, pattern);
  return asked;
}

function invalidationOfNamespaces(asked: readonly CacheNamespace[]): Invalidation {
  const namespaces = NAMED.filter((name) => asked.includes(name.toUpperCase() as CacheNamespace));
  if (namespaces.length > 0) return { dependencies: namespaces, namespaces };
  const expected = `absent for everything, or name at least one of ${Object.values(CacheNamespace).join(', ')}`;
  throw badUserInput('input.namespaces', expected, asked);
}
