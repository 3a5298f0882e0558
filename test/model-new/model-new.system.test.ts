import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { createTokenIssuer } from '../../src/auth/token-issuer.ts';
import { readConfig } from '../../src/config/config.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { MAIN_SECRET, startMain } from '../support/main-process.ts';
import { createEmptyDatabase, createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { sendTo } from '../support/service.ts';
import { type CopiedRepository, copyRepository, type Run } from './copied-repository.ts';

const CARD = [
  'Card',
  '--fields',
  'last4:string,expires:date,status:enum:OPEN|CLOSED,limit:decimal?',
  '--of',
  'BankAccount',
];
const CHANGED = [
  ...['prisma/schema.prisma', 'src/cache/dependencies/dependencies.ts', 'src/registered-models.ts', 'layers.mjs'],
];

let copy: CopiedRepository;
let before: Readonly<Record<string, string>>;
let written: string;
beforeAll(async () => {
  copy = await copyRepository();
  before = Object.fromEntries(CHANGED.map((file) => [file, copy.read(file)]));
  written = sound(await copy.command('model-new', ...CARD));
  sound(await copy.tool('prisma', 'prisma', ['generate']));
  sound(await copy.tool('typescript', 'tsc', ['-p', 'tsconfig.build.json']));
});
afterAll(() => copy?.remove());

function sound({ code, output }: Run): string {
  if (code !== 0) throw new Error(output);
  return output;
}

describe('a model that was written', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createEmptyDatabase();
    sound(await copy.tool('prisma', 'prisma', ['migrate', 'deploy'], { DATABASE_URL: database.url }));
  });
  afterAll(() => database?.drop());

  it('has its eight places', () => {
    expect(written.split('\n').filter((line) => /^(?:new|changed) /.test(line))).toHaveLength(8);
  });

  it('is migrated as prisma/schema.prisma says it', async () => {
    const args = ['migrate', 'diff', '--from-config-datasource', '--to-schema', 'prisma/schema.prisma', '--exit-code'];
    sound(await copy.tool('prisma', 'prisma', args, { DATABASE_URL: database.url }));
  });

  it('is served, kept, invalidated by a change past the API, and shown to its tenant alone', async () => {
    const [own = '', other = ''] = await Promise.all(
      ['own', 'other'].map((slug) => insertTenant(database.url, { slug })),
    );
    const [accountId = ''] = await insertAccounts(database.url, own, [{ accountNumber: '1' }]);
    await past(
      `INSERT INTO cards (tenant_id, account_id, last4, expires, status, "limit", created_at)
       VALUES ('${own}', '${accountId}', '0001', '2026-01-31', 'OPEN', 0.1, '2026-01-01Z'),
              ('${own}', '${accountId}', '0002', '2026-02-28', 'CLOSED', NULL, '2026-01-02Z')`,
    );
    const service = await startMain({ DATABASE_URL: database.url }, path.join(copy.root, 'dist/src/main.js'));
    try {
      await service.untilReady();
      const issuer = createTokenIssuer(readConfig({ AUTH_SECRET: MAIN_SECRET }).auth, false);
      const ask = async (tenantId: string) => {
        const token = await issuer.issue({ subject: 'test', role: Role.VIEWER, tenantId, lifetimeSeconds: 600 });
        const query = `{ cards(filter: { expiresFrom: "2026-01-01" }) { totalCount nodes { last4 expires status limit
          account { id cards(filter: { status: OPEN }) { nodes { last4 } } } } } }`;
        const { data, errors, headers } = await sendTo(service.url, token, query);
        return { cards: data?.cards, errors, isHit: /hit/.test(headers.get('cache-status') ?? '') };
      };
      const account = { id: accountId, cards: { nodes: [{ last4: '0001' }] } };
      const cards = {
        totalCount: 2,
        nodes: [
          { last4: '0002', expires: '2026-02-28', status: 'CLOSED', limit: null, account },
          { last4: '0001', expires: '2026-01-31', status: 'OPEN', limit: '0.1000', account },
        ],
      };
      expect(await ask(own)).toEqual({ cards, errors: undefined, isHit: false });
      expect(await ask(own)).toMatchObject({ cards, isHit: true });
      await past(`UPDATE cards SET expires = '2027-01-31' WHERE last4 = '0001'`);
      await expect.poll(async () => (await ask(own)).cards.nodes[1].expires).toBe('2027-01-31');
      expect((await ask(other)).cards).toEqual({ totalCount: 0, nodes: [] });
    } finally {
      service.signal('SIGTERM');
      await service.ended;
    }
  });

  it('has functions that the service may not call', async () => {
    for (const call of ["tenant_table('cards')", "follow_table('cards', 1)"])
      await expect(past(`SET ROLE tenantry_app; SELECT ${call}`)).rejects.toThrow('permission denied for function');
  });

  it('is not followed any more when one of its triggers sleeps', async () => {
    const isComplete = async (change: string) => {
      const rows = await past(`BEGIN; ${change}; SELECT cache_outbox_is_complete() AS complete; ROLLBACK`);
      return rows[2]?.rows[0].complete;
    };
    expect(await isComplete('SELECT')).toBe(true);
    expect(await isComplete('ALTER TABLE cards DISABLE TRIGGER cache_outbox_update')).toBe(false);
    expect(await isComplete('DROP TRIGGER cache_outbox_applied ON cards')).toBe(false);
    expect(await isComplete('DROP TABLE cards')).toBe(false);
  });

  // biome-ignore lint/suspicious/noExplicitAny: one result for each statement
  const past = (sql: string): Promise<any[]> =>
    withClient(database.url, async (client) => [await client.query(sql)].flat());
});

describe('what is left out is named', () => {
  const migration = () => written.match(/prisma\/migrations\/\S+/)?.[0] ?? '';
  // From where the build left off.
  const typecheck = () => copy.tool('typescript', 'tsc', ['-p', 'tsconfig.build.json', '--noEmit']);
  const lint = () => copy.tool('dependency-cruiser', 'depcruise', ['src', '--config', 'layers.mjs']);

  /** Without the files' additions, or the files. */
  async function without(files: readonly string[], check: () => Promise<Run>): Promise<Run> {
    const texts = files.map((file) => [file, copy.read(file)] as const);
    for (const file of files) copy.write(file, before[file]);
    try {
      return await check();
    } finally {
      for (const [file, text] of texts) copy.write(file, text);
    }
  }

  // The compiler takes seconds: two runs, each of which must be silent on what only the other lacks.
  it('by the compiler', async () => {
    const left: readonly Record<string, RegExp>[] = [
      {
        'src/cache/dependencies/dependencies.ts': /tables\.ts.*Property 'Card' is missing/,
        'src/cards/card.model.ts': /Cannot find module '\.\/cards\/card\.model\.ts'/,
      },
      {
        'src/registered-models.ts': /registered-models\.ts.*Property 'Card' is missing/,
        'src/cards/card.type.ts': /Cannot find module '\.\/card\.type\.ts'/,
      },
    ];
    for (const places of left) {
      const { code, output } = await without(Object.keys(places), typecheck);
      expect(code).not.toBe(0);
      for (const [file, error] of left.flatMap(Object.entries<RegExp>))
        if (file in places) expect(output, file).toMatch(error);
        else expect(output, file).not.toMatch(error);
    }
  });

  it('by the linter, for the folder and the test', async () => {
    const layers = await without(['layers.mjs'], lint);
    expect(layers).toMatchObject({
      code: expect.not.closeTo(0),
      output: expect.stringMatching(/has no layer: src\/cards\/card/),
    });
    const untested = await without(['test/cards/card.test.ts'], lint);
    expect(untested.output).toContain('src/cards/card.model.ts has no test: write test/cards/card.test.ts.');
    expect(untested.code).not.toBe(0);
    expect(await lint()).toMatchObject({ code: 0 });
  });

  it('by the start, for the migration', async () => {
    expect(migration()).not.toBe('');
    const unmigrated = await createTestDatabase();
    const faults = `
      import { databaseFaults, faultLine } from './dist/src/database/faults.js';
      import pg from 'pg';
      const client = new pg.Client(process.env.DATABASE_URL);
      await client.connect();
      console.log((await databaseFaults(client)).map(faultLine).join('\\n'));
      await client.end();`;
    const output = sound(await copy.script(faults, { DATABASE_URL: unmigrated.url }));
    await unmigrated.drop();
    expect(output).toContain('trigger cache_outbox_insert on cards is missing');
    expect(output).toContain('row-level security of cards is disabled');
    expect(output).toContain('policy tenant_isolation on cards is missing');
    expect(output).toContain('constraint cards_tenant_id_account_id_fkey on cards is missing');
  });

  // The last: the client stays without the model.
  it('by the compiler, for the model in prisma/schema.prisma', async () => {
    const { code, output } = await without(['prisma/schema.prisma'], async () => {
      sound(await copy.tool('prisma', 'prisma', ['generate']));
      return typecheck();
    });
    expect(output).toMatch(/tables\.ts[\s\S]*"Card"/);
    expect(code).not.toBe(0);
  });
});
