import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { invalidateCommand } from '../../src/commands/invalidate-command.ts';
import { OperatorError } from '../../src/errors.ts';
import { insertTenant } from '../support/fixtures.ts';
import { startService, type TestService } from '../support/service.ts';

const DASHBOARD = '{ dashboard { generatedAt } }';

let service: TestService;
beforeAll(async () => {
  service = await startService();
  for (const slug of ['north', 'south']) await insertTenant(service.databaseUrl, { slug });
  await service.untilCaughtUp();
  vi.stubEnv('DATABASE_URL', service.databaseUrl);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await service.close();
});

it.each([
  ['everything of one tenant', { tenant: 'north', all: false, pattern: '*' }, [true, false]],
  ['one namespace of all tenants', { tenant: undefined, all: true, pattern: 'dashboard:*' }, [true, true]],
  ['another namespace', { tenant: 'north', all: false, pattern: 'statistics:daily:*' }, [false, false]],
])('invalidates %s, in a service that runs', async (_, options, expected) => {
  const tokens = [await service.token(Role.VIEWER, 'north'), await service.token(Role.VIEWER, 'south')];
  const ask = () =>
    Promise.all(tokens.map(async (token) => (await service.send(token, DASHBOARD)).data.dashboard.generatedAt));
  const before = await ask();
  expect(await ask()).toEqual(before);
  await invalidateCommand({ options });
  await service.untilCaughtUp();
  const after = await ask();
  expect(after.map((generatedAt, n) => generatedAt !== before[n])).toEqual(expected);
});

it.each([
  [{ tenant: undefined, all: false, pattern: '*' }, '--tenant is missing.'],
  [{ tenant: 'north', all: true, pattern: '*' }, '--all is every tenant, and --tenant is only "north".'],
  [{ tenant: 'nobody', all: false, pattern: '*' }, 'There is no tenant "nobody".'],
  [{ tenant: 'north', all: false, pattern: 'dash' }, '--pattern must be one of *, accounts:*'],
])('refuses %o', async (options, message) => {
  const refusal = await invalidateCommand({ options }).catch((error) => error);
  expect(refusal).toBeInstanceOf(OperatorError);
  expect(refusal.message).toContain(message);
});
