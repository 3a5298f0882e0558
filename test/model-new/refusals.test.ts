import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { OperatorError } from '../../src/errors.ts';
import { type Asked, parentField, readAsked } from '../../src/model-new/asked-model.ts';
import { planModel, writePlanned } from '../../src/model-new/write-model.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SOUND: Asked = {
  model: 'Badge',
  fields: 'label:string',
  of: 'BankAccount',
  plural: undefined,
  namespace: undefined,
};
const EDITED = [
  ...['prisma/schema.prisma', 'src/cache/dependencies/dependencies.ts', 'src/registered-models.ts', 'layers.mjs'],
];

function refusalOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof OperatorError) return `${error.message} ${error.remedy}`;
    throw error;
  }
  return 'not refused';
}

/** As much of this repository as is written into. */
function repository(): string {
  const root = makeTempFolder();
  for (const file of [...EDITED, 'schema.graphql', 'prisma/migrations'])
    cpSync(path.join(ROOT, file), path.join(root, file), { recursive: true });
  return root;
}

function contentOf(root: string): Record<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => path.join(parentPath, name)).sort();
  return Object.fromEntries(paths.map((file) => [path.relative(root, file), readFileSync(file, 'utf8')]));
}

describe('what is asked for is refused by name, with what was expected and what came', () => {
  it.each([
    ['a name in small letters', { model: 'badge' }, /^<model> must be a name such as GiftCard, .*but got: "badge"/],
    ['a name with other signs', { model: 'Bad ge' }, /^<model> must be .*but got: "Bad ge"/],
    ['a name that is too long', { model: `B${'a'.repeat(24)}` }, /^<model> must be .*24 letters/],
    [
      'a model that is there',
      { model: 'Transaction' },
      /^<model> must be a name that no model has yet, but got: "Transaction"/,
    ],
    ['a type of GraphQL', { model: 'String' }, /^<model> must be .*but got: "String"/],
    ['a global of the language', { model: 'Promise' }, /^<model> must be a name that JavaScript itself does not have/],
    ['no fields', { fields: undefined }, /^--fields is missing: .*last4:string/],
    ['blank fields', { fields: ' ' }, /^--fields is missing/],
    ['a field without a type', { fields: 'label' }, /^--fields: label must be <name>:<type>.*but got: "label"/],
    ['an empty field', { fields: 'label:string,' }, /^--fields: \(a field without a name\) must be .*but got: ""/],
    ['another type', { fields: 'label:strng' }, /^--fields: label must be string, int, decimal, .*but got: "strng"/],
    ['a name of Object', { fields: 'constructor:string' }, /^--fields: constructor must be a name such as/],
    ['a name in capitals', { fields: 'Label:string' }, /^--fields: Label must be a name such as expiresAt/],
    ['a name that every row has', { fields: 'createdAt:date' }, /^--fields: createdAt must be a name beside/],
    [
      'a column of every table',
      { fields: 'label:int,xmin:int' },
      /^--fields: xmin must be .*\(tableoid, xmin, .*"xmin"/,
    ],
    ['the method of promises', { fields: 'then:string' }, /^--fields: then must be a name that neither .*"then"/],
    ['the name of the parent', { fields: 'account:string' }, /^--fields: account must be a name beside/],
    ['a field twice', { fields: 'label:string,label:int' }, /^--fields: label must be .*"label" twice/],
    ['a filter twice', { fields: 'amount:int,minAmount:string' }, /^--fields: minAmount must be .*"minAmount" twice/],
    ['an enum of nothing', { fields: 'kind:enum:' }, /^--fields: kind must be an enum of different values/],
    ['an enum in small letters', { fields: 'kind:enum:a|B' }, /^--fields: kind must be an enum/],
    ['an enum with a value twice', { fields: 'kind:enum:A|A' }, /^--fields: kind must be an enum/],
    ['another parent', { of: 'Account' }, /^--of must be one of Tenant, BankAccount, but got: "Account"/],
    ['a parent that is no listed model', { of: 'Transaction' }, /^--of must be one of Tenant, BankAccount/],
    ['another namespace', { namespace: 'tenant' }, /^--namespace must be one of accounts, .*but got: "tenant"/],
    ['no namespace of the tenant', { of: 'Tenant' }, /^--namespace is missing: give one of accounts, /],
    ['a plural with other signs', { plural: 'bad-ges' }, /^--plural must be a name such as giftCards/],
    ['a table that is there', { plural: 'transactions' }, /^--plural must be a name that no table has yet/],
  ])('%s', (_, wrong, message) => {
    expect(refusalOf(() => readAsked({ ...SOUND, ...wrong }))).toMatch(message);
    expect(refusalOf(() => readAsked({ ...SOUND, ...wrong }))).toMatch(/Nothing was written\.$/);
  });

  it.each([
    [
      'a type that is there',
      { model: 'PageInfo' },
      /^<model> must be a name of which no type is made yet, but got: "PageInfo"/,
    ],
    ['a list that is there', { plural: 'performance' }, /^--plural must be a name that is no field of Query yet/],
    ['a field of the parent', { plural: 'balance' }, /^--plural must be a name that is no field of BankAccount yet/],
  ])('%s', (_, wrong, message) => {
    const root = repository();
    const before = contentOf(root);
    expect(refusalOf(() => planModel(root, readAsked({ ...SOUND, ...wrong })))).toMatch(message);
    expect(contentOf(root)).toEqual(before);
  });
});

describe('the field that shows a parent', () => {
  it.each([
    ['BankAccount', 'account'],
    ['Card', 'card'],
    ['SubTenant', 'subTenant'],
    ['GiftId', 'giftId'],
  ])('of %s is %s, beside what every row has', (model, field) => expect(parentField(model)).toBe(field));

  it.each(['Id', 'Precedes'])('cannot be that of %s', (model) => {
    expect(refusalOf(() => parentField(model))).toMatch(/^--of must be a model whose name no row has .*Nothing was/);
  });
});

describe('in a repository', () => {
  it.each(['src/indexes', 'test/indexes'])('nothing is written beside the files of %s', (folder) => {
    const root = repository();
    mkdirSync(path.join(root, folder), { recursive: true });
    const before = contentOf(root);
    expect(refusalOf(() => planModel(root, readAsked({ ...SOUND, model: 'Index' })))).toContain(
      `--plural must be a name for which there is no folder ${folder} yet, but got: "indexes". Nothing was`,
    );
    expect(contentOf(root)).toEqual(before);
  });

  it('nothing is written when a file is there already', () => {
    const root = repository();
    mkdirSync(path.join(root, 'src/badges'));
    writeFileSync(path.join(root, 'src/badges/badge.type.ts'), 'mine');
    const before = contentOf(root);
    expect(refusalOf(() => planModel(root, readAsked(SOUND)))).toMatch(
      /^src\/badges\/badge\.type\.ts is there already\./,
    );
    expect(contentOf(root)).toEqual(before);
  });

  it.each([
    ['prisma/schema.prisma', 'model BankAccount {'],
    ['src/cache/dependencies/dependencies.ts', '} as const satisfies Readonly<Record<string, Following>>;'],
    ['src/registered-models.ts', 'export const REGISTERED_MODELS: Readonly<Record<MadeModel, Model>> = {'],
    ['layers.mjs', "['accounts'],"],
  ])('nothing is written when the place in %s is not found, or is there twice', (file, anchor) => {
    const root = repository();
    const text = readFileSync(path.join(root, file), 'utf8');
    const line = text.split('\n').find((one) => one.includes(anchor)) as string;
    const block = file.endsWith('.prisma')
      ? (/^model BankAccount \{[\s\S]*?^\}\n/m.exec(text)?.[0] as string)
      : `${line}\n`;
    for (const changed of [text.replace(line, ''), text.replace(block, block + block)]) {
      writeFileSync(path.join(root, file), changed);
      const before = contentOf(root);
      expect(refusalOf(() => planModel(root, readAsked(SOUND)))).toBe(
        `${file} has no single line "${anchor}", beside which something must be written. ` +
          'Nothing was written. Put the line back, or add the model by hand: docs/add-a-model.md.',
      );
      expect(contentOf(root)).toEqual(before);
    }
  });

  it('a plan writes nothing, and is then written, with one line in each file that is there', () => {
    const root = repository();
    const before = contentOf(root);
    const files = planModel(root, readAsked(SOUND));
    expect(contentOf(root)).toEqual(before);
    writePlanned(root, files);
    const after = contentOf(root);
    expect(
      Object.keys(after)
        .filter((file) => after[file] !== before[file])
        .sort(),
    ).toEqual(files.map((file) => file.path).sort());
    for (const file of EDITED)
      expect(after[file]?.split('\n')).toEqual(expect.arrayContaining(before[file]?.split('\n').slice(0, 5) ?? []));
    expect(existsSync(path.join(root, 'src/badges/badge.model.ts'))).toBe(true);
  });

  it('a second model goes beside the first, behind its migration', () => {
    const root = repository();
    writePlanned(root, planModel(root, readAsked(SOUND)));
    writePlanned(root, planModel(root, readAsked({ ...SOUND, model: 'Policy' })));
    const registered = readFileSync(path.join(root, 'src/registered-models.ts'), 'utf8');
    expect(registered).toContain('  Badge: BADGES,\n  Policy: POLICIES,\n};');
    expect(registered.match(/^import .* from .*$/gm)).toEqual([
      "import { BADGES } from './badges/badge.model.ts';",
      "import type { MadeModel, Model } from './models/define-model.ts';",
      "import { POLICIES } from './policies/policy.model.ts';",
    ]);
    const migrations = readdirSync(path.join(root, 'prisma/migrations'))
      .filter((name) => /^\d/.test(name))
      .sort();
    expect(migrations.slice(-2).map((name) => name.replace(/^\d+_/, ''))).toEqual(['badges', 'policies']);
  });
});
