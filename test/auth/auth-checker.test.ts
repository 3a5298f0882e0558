import 'reflect-metadata';
import { graphql } from 'graphql';
import { Authorized, buildSchema, Query, Resolver } from 'type-graphql';
import { expect, test } from 'vitest';
import { authChecker } from '../../src/auth/auth-checker.ts';
import { type Caller, Role } from '../../src/auth/caller.ts';
import type { Permission } from '../../src/auth/permissions.ts';

@Resolver()
class GuardedResolver {
  @Authorized()
  @Query(() => String)
  forCallers(): string {
    return 'seen';
  }

  @Authorized<Permission>('refreshAnswers')
  @Query(() => String)
  forAnalysts(): string {
    return 'seen';
  }
}

const schema = await buildSchema({ resolvers: [GuardedResolver], authChecker });

async function ask(field: string, role: Role | null) {
  const caller: Caller | null = role && { subject: 'ann', name: 'Ann', role, tenant: null };
  const { data, errors } = await graphql({ schema, source: `{ ${field} }`, contextValue: { caller } });
  return errors?.[0]?.extensions.code ?? data?.[field];
}

test('lets every caller to what is for callers, and asks the others for a token', async () => {
  expect(await ask('forCallers', Role.VIEWER)).toBe('seen');
  expect(await ask('forCallers', null)).toBe('UNAUTHENTICATED');
});

test('lets the named roles alone to what is for them', async () => {
  expect(await ask('forAnalysts', Role.ANALYST)).toBe('seen');
  expect(await ask('forAnalysts', Role.ADMIN)).toBe('seen');
  expect(await ask('forAnalysts', Role.VIEWER)).toBe('FORBIDDEN');
  expect(await ask('forAnalysts', Role.OPERATOR)).toBe('FORBIDDEN');
  expect(await ask('forAnalysts', null)).toBe('UNAUTHENTICATED');
});
