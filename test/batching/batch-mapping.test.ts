import 'reflect-metadata';
import { type ExecutionResult, graphql } from 'graphql';
import {
  Arg,
  Authorized,
  buildSchemaSync,
  Ctx,
  Field,
  FieldResolver,
  Info,
  Int,
  ObjectType,
  Query,
  Resolver,
  Root,
} from 'type-graphql';
import { expect, test } from 'vitest';
import { authChecker } from '../../src/auth/auth-checker.ts';
import { Role } from '../../src/auth/caller.ts';
import { BatchMapping, resolveRelations, withRelations } from '../../src/batching/batch-mapping.ts';
import type { RequestContext } from '../../src/context/request-context.ts';
import { Prisma } from '../../src/generated/prisma/client.ts';
import { type SelectedField, selectedFields } from '../../src/graphql/selection.ts';

@ObjectType()
class Shelf {
  @Field(() => Int)
  id!: number;
}

const calls: { readonly ids: readonly number[]; readonly times: number; readonly selected: readonly string[] }[] = [];

@Resolver(() => Shelf)
class ShelfResolver {
  @Query(() => [Shelf])
  async shelves(@Ctx() context: RequestContext, @Info() info: never): Promise<readonly Shelf[]> {
    return withRelations(context, [{ id: 1 }, { id: 2 }, { id: 3 }], selectedFields(info));
  }

  /** Nobody has read ahead. */
  @Query(() => Shelf)
  shelf(): Shelf {
    return { id: 7 };
  }

  @BatchMapping()
  @FieldResolver(() => [Shelf])
  async doubles(
    @Root() shelves: readonly Shelf[],
    @Arg('times', () => Int, { defaultValue: 2 }) times: number,
    @Ctx() context: RequestContext,
    @Info() { fields }: SelectedField,
  ): Promise<(readonly Shelf[])[]> {
    calls.push({ ids: shelves.map(({ id }) => id), times, selected: fields.map(({ name }) => name) });
    const all = await withRelations(
      context,
      shelves.map(({ id }) => ({ id: id * times })),
      fields,
    );
    return all.map((double) => [double]);
  }

  @BatchMapping()
  @FieldResolver(() => Int, { nullable: true })
  tooFew(@Root() shelves: readonly Shelf[]): number[] {
    return shelves.slice(1).map(({ id }) => id);
  }

  @Authorized('writeAccounts')
  @BatchMapping()
  @FieldResolver(() => Int, { nullable: true })
  secret(@Root() shelves: readonly Shelf[]): number[] {
    return shelves.map(({ id }) => -id);
  }
}

const schema = buildSchemaSync({ resolvers: [ShelfResolver], authChecker, validate: false });
resolveRelations(schema);

async function ask(source: string, role = Role.VIEWER): Promise<ExecutionResult> {
  calls.length = 0;
  return graphql({ schema, source, contextValue: { caller: { role } } });
}

test('the method is called once for all rows of a level, and again for those below', async () => {
  const { data } = await ask('{ shelves { id doubles { id doubles(times: 3) { id } } } }');
  expect(data).toEqual({
    shelves: [1, 2, 3].map((id) => ({ id, doubles: [{ id: 2 * id, doubles: [{ id: 6 * id }] }] })),
  });
  expect(calls).toEqual([
    { ids: [1, 2, 3], times: 2, selected: ['id', 'doubles'] },
    { ids: [2, 4, 6], times: 3, selected: ['id'] },
  ]);
});

test('a method that gives too few values fails, instead of being called for each row', async () => {
  const { data, errors } = await ask('{ shelves { tooFew } }');
  expect(data).toEqual({ shelves: [{ tooFew: null }, { tooFew: null }, { tooFew: null }] });
  expect(errors?.[0]?.message).toBe('tooFew must give 3 values, one for each row.');
});

test('a row that nobody read ahead for is a level of its own', async () => {
  expect((await ask('{ shelf { doubles(times: 5) { id } } }')).data).toEqual({ shelf: { doubles: [{ id: 35 }] } });
  expect(calls).toEqual([{ ids: [7], times: 5, selected: ['id'] }]);
});

test('its authorization is asked, whether the rows are read ahead or not', async () => {
  for (const query of ['{ shelves { id secret } }', '{ shelf { id secret } }']) {
    const refused = await ask(query);
    expect(JSON.stringify(refused.data)).not.toContain('-');
    expect(refused.errors?.[0]).toMatchObject({ extensions: { code: 'FORBIDDEN' } });
  }
  expect((await ask('{ shelves { secret } }', Role.ADMIN)).data).toEqual({
    shelves: [{ secret: -1 }, { secret: -2 }, { secret: -3 }],
  });
});

test('a field that is read with its rows may have none', () => {
  @ObjectType()
  class Box {
    @Field(() => Int)
    id!: number;
  }
  @Resolver(() => Box)
  class BoxResolver {
    @Query(() => Box)
    box(): Box {
      return { id: 1 };
    }

    @Authorized('writeAccounts')
    @BatchMapping(() => Prisma.sql`1`)
    @FieldResolver(() => Int)
    weight(@Root() boxes: readonly Box[]): number[] {
      return boxes.map(() => 1);
    }
  }
  const built = buildSchemaSync({ resolvers: [BoxResolver], authChecker, validate: false });
  expect(() => resolveRelations(built)).toThrow(
    'Box.weight is read with its rows: @Authorized on it would not be asked.',
  );
});
