import { describe, expect, it } from 'vitest';

import { connects, findDatasourceUrl } from '../../prisma/engine/datasource-url.mjs';

const CONNECTING = [
  'migrate dev --name add_column',
  'migrate deploy',
  'migrate status',
  'migrate reset --force',
  'migrate resolve --applied 20260101000000_items',
  'migrate diff --from-migrations prisma/migrations --to-schema prisma/schema.prisma',
  'migrate diff --from-schema prisma/schema.prisma --to-config-datasource',
  '--config prisma.config.ts migrate deploy',
  'db pull --print',
  'db push',
  'db execute --stdin',
  'generate --sql',
  'studio',
];
const OFFLINE = [
  '',
  'validate',
  'format',
  'generate',
  'version',
  'migrate',
  'migrate dev --help',
  'migrate dev -h',
  'migrate deploy --url postgresql://localhost/other',
  'migrate diff --from-empty --to-schema prisma/schema.prisma --script',
];

describe('the database of a Prisma command', () => {
  it.each(CONNECTING)('is needed by: %s', (command) => {
    expect(connects(command.split(' '))).toBe(true);
  });

  it.each(OFFLINE)('is not needed by: %s', (command) => {
    expect(connects(command.split(' '))).toBe(false);
  });

  it('is the one that DATABASE_URL names', async () => {
    const url = await findDatasourceUrl(['migrate', 'deploy'], { DATABASE_URL: ' postgresql://localhost/mine ' });

    expect(url).toBe('postgresql://localhost/mine');
  });

  it('must be named by DATABASE_URL in production', async () => {
    const production = { NODE_ENV: 'production', DATABASE_URL: '' };

    await expect(findDatasourceUrl(['migrate', 'deploy'], production)).rejects.toThrow(
      /^DATABASE_URL is not set: expected/,
    );
    expect(await findDatasourceUrl(['generate'], production)).toBeUndefined();
  });
});
