import type { CommandSpec } from '../cli/command-line.ts';
import { findProjectRoot } from '../embedded/project-root.mjs';
import { readAsked } from '../model-new/asked-model.ts';
import { planModel, writePlanned } from '../model-new/write-model.ts';

const OPTIONS = {
  fields: {
    type: 'string',
    value: '<fields>',
    description:
      '<name>:<type>, by commas. Types: string, int, decimal (money), boolean, date, datetime,\n' +
      'enum:A|B; ? behind one that may be absent. Required.',
  },
  of: { type: 'string', value: '<model>', default: 'Tenant', description: 'What its rows belong to.' },
  plural: { type: 'string', value: '<name>', description: 'Of its lists, as giftCards. Absent: made from the name.' },
  namespace: {
    type: 'string',
    value: '<name>',
    description: 'Of the cache, invalidated by every change. Absent: that of --of.',
  },
  'dry-run': { type: 'boolean', description: 'Only list the files.' },
} as const;

export const MODEL_NEW: CommandSpec<typeof OPTIONS> = {
  name: 'model:new',
  summary:
    'Writes a model of the tenants’ into this repository: its table, type, lists, filter, relation, cache, indexes and\n' +
    'test. Overwrites nothing.',
  arguments: [{ name: 'model', description: 'its name, such as GiftCard' }],
  options: OPTIONS,
  notes:
    'Example: npm run model:new -- Card --fields last4:string,expires:date --of BankAccount\nSee docs/add-a-model.md.',
};

const NEXT = 'npm run lint:fix && npm run schema:emit && npm run codegen && npm run db:migrate';

interface Given {
  readonly fields: string | undefined;
  readonly of: string;
  readonly plural: string | undefined;
  readonly namespace: string | undefined;
  readonly 'dry-run': boolean;
}

export async function modelNewCommand({
  options,
  arguments: [model = ''],
}: {
  options: Given;
  arguments: readonly string[];
}): Promise<undefined> {
  const root = findProjectRoot();
  const files = planModel(root, readAsked({ ...options, model }));
  if (!options['dry-run']) writePlanned(root, files);
  const lines = files.map(({ path, isNew }) => `${isNew ? 'new    ' : 'changed'}  ${path}`);
  const after = options['dry-run'] ? 'Nothing was written.' : `Then: ${NEXT}`;
  process.stdout.write(`${[...lines, '', after].join('\n')}\n`);
}
