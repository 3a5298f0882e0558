import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import type { Model } from '../../src/models/define-model.ts';
import { fixtureId, insertTenant } from '../support/fixtures.ts';
import { withClient } from '../support/postgres.ts';
import { type GraphqlAnswer, startService, type TestService } from '../support/service.ts';
import { insertModelRow } from './model-rows.ts';

/** Columns of a row, in SQL's text form; null for one that has no value. */
type Sample = Readonly<Record<string, string | null>>;

/**
 * What every registered model keeps to: its lists, their filter, its relation, the cache and the
 * tenants.
 * @param samples two rows that differ in every column
 */
export function describeModel(model: Model, samples: readonly [Sample, Sample]): void {
  const { list, table, parent } = model;
  const columns = Object.entries(model.columns).filter(([property]) => property !== parent?.key);
  const shown = ['id', 'createdAt', ...columns.map(([property]) => property)].join(' ');
  const [older, newer] = [fixtureId(table, 'older'), fixtureId(table, 'newer')];

  describe(`the list ${list}`, () => {
    let service: TestService;
    let own: string;
    let other: string;

    beforeAll(async () => {
      service = await startService();
      for (const slug of ['own', 'other']) await insertTenant(service.databaseUrl, { slug });
      const tenantId = fixtureId('tenant', 'own');
      await withClient(service.databaseUrl, async (client) => {
        for (const [index, id] of [older, newer].entries())
          await insertModelRow(client, table, tenantId, {
            ...samples[index],
            id,
            created_at: `2026-01-0${index + 1}T00:00:00Z`,
          });
      });
      await service.untilCaughtUp();
      [own, other] = await Promise.all([service.token(Role.VIEWER, 'own'), service.token(Role.VIEWER, 'other')]);
    });
    afterAll(() => service?.close());

    const ids = ({ data, errors }: GraphqlAnswer) => {
      if (errors) throw new Error(JSON.stringify(errors));
      return (data[list].nodes as { id: string }[]).map(({ id }) => id);
    };

    test('shows a tenant its rows, newest first, and page by page', async () => {
      const { data } = await service.send(own, `{ ${list} { totalCount totalCountIsExact nodes { ${shown} } } }`);
      expect(data[list]).toMatchObject({ totalCount: 2, totalCountIsExact: true });
      expect(data[list].nodes.map(({ id }: { id: string }) => id)).toEqual([newer, older]);
      for (const [index, row] of [...data[list].nodes].reverse().entries())
        for (const [property, { select }] of columns) {
          const column = Object.keys(samples[index] ?? {}).find((name) => select.sql.includes(`"${name}"`)) ?? property;
          const value = row[property];
          expect(value === null ? null : String(value)).toBe(samples[index]?.[column]);
        }
      const first = await service.send(
        own,
        `{ ${list}(first: 1) { nodes { id } pageInfo { endCursor hasNextPage } } }`,
      );
      expect(ids(first)).toEqual([newer]);
      const { endCursor, hasNextPage } = first.data[list].pageInfo;
      expect(hasNextPage).toBe(true);
      expect(ids(await service.send(own, `{ ${list}(first: 1, after: "${endCursor}") { nodes { id } } }`))).toEqual([
        older,
      ]);
    });

    test.each(
      columns.flatMap(([property, { filters }]) => filters.map((filter) => [filter.name(property), property] as const)),
    )('filters by %s', async (name, property) => {
      const { data } = await service.send(own, `{ ${list} { nodes { id ${property} } } }`);
      const filter = `query ($filter: ${model.model}Filter) { ${list}(filter: $filter) { totalCount nodes { id } } }`;
      for (const row of data[list].nodes) {
        if (row[property] === null) continue; // a filter of null is one that is not given
        const given = { [name]: row[property] };
        const found = ids(await service.send(own, filter, { filter: given }));
        expect(found).toContain(row.id);
        const equal = data[list].nodes.filter((other: typeof row) => other[property] === row[property]);
        if (name === property) expect(found).toEqual(equal.map(({ id }: { id: string }) => id));
      }
    });

    test('shows another tenant nothing, and a stranger nothing at all', async () => {
      expect(ids(await service.send(other, `{ ${list} { nodes { id } } }`))).toEqual([]);
      const { errors } = await service.send(null, `{ ${list} { nodes { id } } }`);
      expect(errors?.[0]?.extensions.code).toBe('UNAUTHENTICATED');
      await expect(
        withClient(service.databaseUrl, async (client) => {
          await client.query('SET ROLE tenantry_app');
          await client.query("SELECT set_config('app.tenant_id', $1, false)", [fixtureId('tenant', 'other')]);
          return (await client.query(`SELECT FROM "${table}"`)).rowCount;
        }),
      ).resolves.toBe(0);
    });

    test.runIf(parent)('hangs on what its rows belong to, and shows it', async () => {
      const { field, type } = parent as NonNullable<typeof parent>;
      const query = `{ ${list} { nodes { id ${field} { id __typename ${list} { totalCount nodes { id } } } } } }`;
      const { data } = await service.send(own, query);
      for (const row of data[list].nodes) {
        expect(row[field].__typename).toBe(type().name);
        expect(row[field][list]).toEqual({ totalCount: 1, nodes: [{ id: row.id }] });
      }
      service.statements.splice(0);
      await service.send(own, `{ ${list}(last: 2) { nodes { ${field} { ${list}(last: 1) { nodes { id } } } } } }`);
      expect(service.statements.length).toBe(3);
    });

    test.each([
      ['INSERT', 3],
      ['UPDATE', 3],
      ['DELETE', 2],
      ['TRUNCATE', 0],
    ] as const)('is kept until %s changes the table past the API', async (kind, rows) => {
      const query = `{ ${list} { totalCount nodes { ${shown} } } }`;
      const ask = async () => {
        const answer = await service.send(own, query);
        return { status: answer.headers.get('cache-status'), body: JSON.stringify(answer.data), data: answer.data };
      };
      const before = await ask();
      const hit = await ask();
      expect(hit.status).toMatch(/hit/);
      expect(hit.body).toBe(before.body);
      const added = fixtureId(table, 'added');
      await withClient(service.databaseUrl, async (client) => {
        if (kind === 'INSERT')
          await insertModelRow(client, table, fixtureId('tenant', 'own'), { ...samples[0], id: added });
        if (kind === 'UPDATE')
          await client.query(`UPDATE "${table}" SET created_at = '2025-01-01Z' WHERE id = $1`, [added]);
        if (kind === 'DELETE') await client.query(`DELETE FROM "${table}" WHERE id = $1`, [added]);
        if (kind === 'TRUNCATE') await client.query(`TRUNCATE "${table}" CASCADE`);
      });
      await service.untilCaughtUp();
      const fresh = await ask();
      expect(fresh.status).not.toMatch(/hit/);
      expect(fresh.body).not.toBe(before.body);
      expect(fresh.data[list].totalCount).toBe(rows);
    });
  });
}
