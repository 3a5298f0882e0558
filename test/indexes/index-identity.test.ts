import fc from 'fast-check';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createStatement, isSameKey, keyText } from '../../src/database/index-definition.ts';
import { type DatabaseIndex, readIndexes } from '../../src/database/read-indexes.ts';
import { analyzeIndexes, type VerdictKind } from '../../src/indexes/analyze.ts';
import { createTestDatabase, type TestDatabase } from '../support/postgres.ts';

const PAIRS = { numRuns: 40, seed: 20261129 };
const TABLE = `CREATE TABLE things (a text NOT NULL, b varchar(20) NOT NULL, n integer NOT NULL, m bigint NOT NULL, o date, w tsvector)`;

interface Key {
  readonly on: string;
  readonly collation: string | null;
  readonly operatorClass: string | null;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

interface Spec {
  readonly unique: boolean;
  readonly nullsNotDistinct: boolean;
  readonly keys: readonly Key[];
  readonly include: readonly string[];
  readonly where: string | null;
  readonly fillfactor: number;
}

const TEXTS = ['a', 'b', 'lower(a)', '(a || b)'];
const KEYS = [...TEXTS, 'n', '(n + 1)'];
const COLLATIONS = [null, '"C"', '"POSIX"'];
const PATTERNS: Readonly<Record<string, string>> = { a: 'text_pattern_ops', b: 'varchar_pattern_ops' };

const key = (on: string): fc.Arbitrary<Key> =>
  fc.record({
    on: fc.constant(on),
    collation: TEXTS.includes(on) ? fc.constantFrom(...COLLATIONS) : fc.constant(null),
    operatorClass: on in PATTERNS ? fc.constantFrom(null, PATTERNS[on] ?? null) : fc.constant(null),
    descending: fc.boolean(),
    nullsFirst: fc.boolean(),
  });

const spec: fc.Arbitrary<Spec> = fc.record({
  unique: fc.boolean(),
  nullsNotDistinct: fc.boolean(),
  keys: fc.subarray(KEYS, { minLength: 1, maxLength: 3 }).chain((names) => fc.tuple(...names.map(key))),
  include: fc.constantFrom([], ['m'], ['m', 'o']),
  where: fc.constantFrom(null, '(n > 0)', "(a <> 'x')"),
  fillfactor: fc.constantFrom(70, 90),
});

/** Each changes one thing of an index, and nothing where there is no such thing. */
const CHANGES: Readonly<Record<string, (index: Spec) => Spec>> = {
  uniqueness: (index) => ({ ...index, unique: !index.unique }),
  'equality of nulls': (index) => ({ ...index, nullsNotDistinct: !index.nullsNotDistinct }),
  condition: (index) => ({ ...index, where: index.where === null ? '(n > 0)' : null }),
  'carried columns': (index) => ({ ...index, include: index.include.length ? [] : ['m'] }),
  'a key': (index) =>
    changedKey(index, ({ on }) => ({ on: on === 'n' ? 'm' : 'n', collation: null, operatorClass: null })),
  'a collation': (index) =>
    changedKey(index, ({ on, collation }) => ({ collation: TEXTS.includes(on) && collation === null ? '"C"' : null })),
  'an operator class': (index) =>
    changedKey(index, ({ on, operatorClass }) => ({ operatorClass: operatorClass ? null : (PATTERNS[on] ?? null) })),
  'a direction': (index) => changedKey(index, ({ descending }) => ({ descending: !descending })),
  'the place of nulls': (index) => changedKey(index, ({ nullsFirst }) => ({ nullsFirst: !nullsFirst })),
};

/** Of two that differ in what they carry alone, one covers the other. */
const changeOfKeys = fc.constantFrom(...Object.keys(CHANGES).filter((what) => what !== 'carried columns'));

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});
beforeEach(async () => {
  await client.query(`BEGIN; ${TABLE}`);
});
afterEach(async () => {
  await client.query('ROLLBACK');
});
afterAll(async () => {
  await client?.end();
  await database?.drop();
});

describe('of two indexes', () => {
  it('that are equal but for what tunes them, exactly one is a duplicate', async () => {
    await forAll(spec, async (index) => {
      const kinds = await judged([sqlOf('one', index), sqlOf('two', { ...index, fillfactor: 80 })]);
      expect(kinds).toEqual(['used', 'duplicate']);
    });
  });

  it('that differ in one thing, none is a duplicate or covered', async () => {
    await forAll(fc.tuple(spec, changeOfKeys), async ([index, what]) => {
      const changed = CHANGES[what]?.(index) ?? index;
      if (sqlOf('x', changed) === sqlOf('x', index)) return;
      expect(await judged([sqlOf('one', index), sqlOf('two', changed)]), what).toEqual(['used', 'used']);
    });
  });

  it('of which one carries more columns, the other is covered unless it is unique', async () => {
    await forAll(spec, async (index) => {
      const kinds = await judged([
        sqlOf('one', { ...index, include: ['m', 'o'] }),
        sqlOf('two', { ...index, include: [] }),
      ]);
      expect(kinds).toEqual(['used', index.unique ? 'used' : 'covered']);
    });
  });

  it('of which one has further keys, the shorter is covered unless it is unique', async () => {
    await forAll(fc.tuple(spec, fc.boolean()), async ([index, isReversed]) => {
      const short = isReversed ? reversed(index) : index;
      const kinds = await judged([sqlOf('one', longer(index)), sqlOf('two', short)]);
      expect(kinds).toEqual(['used', index.unique ? 'used' : 'covered']);
    });
  });

  it('of which one has further keys and differs in one thing, none is covered', async () => {
    await forAll(fc.tuple(spec, changeOfKeys), async ([index, what]) => {
      // A direction alone, of a single key whose nulls are turned as well, is the reverse order.
      const short = { ...index, unique: false, nullsNotDistinct: false };
      const changed = CHANGES[what]?.(short) ?? short;
      if (changed.nullsNotDistinct || sqlOf('x', changed) === sqlOf('x', short)) return;
      expect(await judged([sqlOf('one', longer(short)), sqlOf('two', changed)]), what).toEqual(['used', 'used']);
    });
  });

  it.each([
    ['another access method', 'USING hash (a)', 'USING btree (a)'],
    ['another storage parameter that counts', 'USING brin (n) WITH (pages_per_range = 4)', 'USING brin (n)'],
    ['another parameter of the operator class', 'USING gist (w tsvector_ops (siglen = 64))', 'USING gist (w)'],
    ['another operator class of an inverted index', 'USING brin (n int4_minmax_multi_ops)', 'USING brin (n)'],
  ])('with %s, none is a duplicate', async (_, one, two) => {
    expect(await judged([`CREATE INDEX one ON things ${one}`, `CREATE INDEX two ON things ${two}`])).toEqual([
      'used',
      'used',
    ]);
    expect(await judged([`CREATE INDEX three ON things ${one}`])).toEqual(['used', 'duplicate', 'used']);
  });

  it.each([
    ['a constraint needs', 'ALTER TABLE things ADD CONSTRAINT two UNIQUE USING INDEX two'],
    ['is the replica identity', 'ALTER TABLE things REPLICA IDENTITY USING INDEX two'],
    ['CLUSTER goes by', 'ALTER TABLE things CLUSTER ON two'],
    ['a foreign key refers to', 'CREATE TABLE others (n integer REFERENCES things (n))'],
  ])('the one that %s stays', async (_, sql) => {
    await client.query('CREATE UNIQUE INDEX two ON things (n)');
    await client.query(sql);
    expect(await judged(['CREATE UNIQUE INDEX one ON things (n)'])).toEqual(['duplicate', 'used']);
    expect(await judged(['CREATE INDEX three ON things (n, m)'])).toEqual(['duplicate', 'used', 'used']);
  });

  it('a shorter one that CLUSTER goes by is not covered', async () => {
    await client.query('CREATE INDEX two ON things (n); ALTER TABLE things CLUSTER ON two');
    expect(await judged(['CREATE INDEX one ON things (n, m)'])).toEqual(['used', 'used']);
    await client.query('ALTER TABLE things SET WITHOUT CLUSTER');
    expect(await judged([])).toEqual(['used', 'covered']);
  });

  it('a deferrable constraint does not stand for one that is checked at once', async () => {
    await client.query('ALTER TABLE things ADD CONSTRAINT two UNIQUE (n) DEFERRABLE');
    expect(await judged(['CREATE UNIQUE INDEX one ON things (n)'])).toEqual(['used', 'used']);
  });
});

describe('the definition that is read', () => {
  it('makes an equal index', async () => {
    await forAll(spec, async (index) => {
      await client.query(sqlOf('one', index));
      const [one] = await readIndexes(client, ['things']);
      const definition = { ...(one as DatabaseIndex).definition, name: 'two' };
      await client.query(createStatement(definition).replace(' CONCURRENTLY', ''));
      const [, two] = await readIndexes(client, ['things']);
      expect(keyText((two as DatabaseIndex).definition)).toBe(keyText(definition));
      expect(isSameKey((two as DatabaseIndex).definition, definition)).toBe(true);
      const tail = ({ statement }: DatabaseIndex) => statement.replace(/^.* USING /, '').replace(/ WITH \(.*?\)/, '');
      expect(tail(two as DatabaseIndex)).toBe(tail(one as DatabaseIndex));
    });
  });
});

async function forAll<Value>(values: fc.Arbitrary<Value>, hold: (value: Value) => Promise<void>): Promise<void> {
  const property = fc.asyncProperty(values, async (value) => {
    await client.query('SAVEPOINT pair');
    try {
      await hold(value);
    } finally {
      await client.query('ROLLBACK TO pair');
    }
  });
  await fc.assert(property, PAIRS);
}

/** The verdicts on all indexes there are, by name. */
async function judged(statements: readonly string[]): Promise<VerdictKind[]> {
  for (const sql of statements) await client.query(sql);
  const figures = { model: 'BankAccount', sizeBytes: 8192, scans: 1, tuplesRead: 1, cacheHitRatio: 1 } as const;
  const found = (await readIndexes(client, ['things'])).map((index) => ({ ...index, ...figures, neededBytes: 8192 }));
  return analyzeIndexes(found, '2026-11-01T00:00:00.000Z').map(({ verdict }) => verdict.kind);
}

function sqlOf(name: string, { unique, nullsNotDistinct, keys, include, where, fillfactor }: Spec): string {
  const columns = keys.map(({ on, collation, operatorClass, descending, nullsFirst }) =>
    [
      on,
      collation && `COLLATE ${collation}`,
      operatorClass,
      descending && 'DESC',
      `NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`,
    ]
      .filter(Boolean)
      .join(' '),
  );
  return [
    `CREATE ${unique ? 'UNIQUE ' : ''}INDEX ${name} ON things (${columns.join(', ')})`,
    include.length && `INCLUDE (${include.join(', ')})`,
    unique && nullsNotDistinct && 'NULLS NOT DISTINCT',
    `WITH (fillfactor = ${fillfactor})`,
    where && `WHERE ${where}`,
  ]
    .filter(Boolean)
    .join(' ');
}

/** Something of the last key. */
function changedKey(index: Spec, changed: (key: Key) => Partial<Key>): Spec {
  const last = index.keys.at(-1) as Key;
  return { ...index, keys: [...index.keys.slice(0, -1), { ...last, ...changed(last) }] };
}

function longer(index: Spec): Spec {
  const further: Key = { on: 'o', collation: null, operatorClass: null, descending: false, nullsFirst: false };
  return { ...index, keys: [...index.keys, further], include: index.include.filter((name) => name !== 'o') };
}

function reversed(index: Spec): Spec {
  const keys = index.keys.map((key) => ({ ...key, descending: !key.descending, nullsFirst: !key.nullsFirst }));
  return { ...index, keys };
}
