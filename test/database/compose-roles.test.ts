import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseFaults } from '../../src/database/faults.ts';
import { rightsOf } from '../../src/database/role-rights.ts';
import { SERVICE_ROLE } from '../../src/database/service-rights.ts';
import {
  findInstalledPostgres,
  type InstalledPostgres,
  startInstalledPostgres,
} from '../support/installed-postgres.ts';
import { withClient } from '../support/postgres.ts';
import { migrationScripts } from '../support/template.ts';

const COMPOSE = readFileSync(path.resolve(import.meta.dirname, '../../docker-compose.yml'), 'utf8');
const [, ROLES = ''] = /\n {2}roles:\n {4}content: \|\n((?: {6}.*\n|\n)+)/.exec(COMPOSE) ?? [];

const programs = findInstalledPostgres('pg_stat_statements');

describe.skipIf(!programs)('the roles of docker-compose.yml', { timeout: 60_000 }, () => {
  let server: InstalledPostgres;
  let url: string;
  beforeAll(async () => {
    server = await startInstalledPostgres(programs as string);
    await withClient(server.url, (client) => client.query('CREATE DATABASE tenantry'));
    url = new URL('/tenantry', server.url).href;
    await withClient(url, (client) => client.query(ROLES));
  }, 60_000);
  afterAll(() => server?.stop());

  it('migrate as no superuser, and leave the service what it needs and nothing else', async () => {
    const loginOf = (service: string) =>
      new RegExp(`\\n  ${service}:\\n[^]*?DATABASE_URL: postgresql://(\\w+):`).exec(COMPOSE)?.[1] ?? '';
    const migrating = loginOf('migrate');
    const own = new URL(url);
    own.username = migrating;
    await withClient(own.href, async (client) => {
      for (const script of migrationScripts()) await client.query(script);
      const { rows } = await client.query('SELECT rolsuper FROM pg_roles WHERE rolname = current_user');
      expect(rows).toEqual([{ rolsuper: false }]);
      expect(await databaseFaults(client)).toEqual([]);
      await client.query('CREATE TEMP TABLE staged (n int)');
    });
    expect(loginOf('service')).toBe(SERVICE_ROLE);
    own.username = SERVICE_ROLE;
    await withClient(own.href, async (client) => {
      expect(await rightsOf(client, SERVICE_ROLE)).toEqual({ role: SERVICE_ROLE, lacks: [], surplus: [], owners: [] });
    });
  });
});
