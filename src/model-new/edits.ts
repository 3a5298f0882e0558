import { OperatorError } from '../errors.ts';
import type { AskedModel } from './asked-model.ts';
import { enumsOf, indexOfParent } from './new-files.ts';
import { listOf } from './text.ts';

/** What goes into a file that is there. */
export interface Edit {
  readonly path: string;
  /** @returns undefined when the place for it is not found */
  readonly edit: (text: string) => string | undefined;
  /** What it is put beside. */
  readonly anchor: string;
}

export function editsFor(model: AskedModel): Edit[] {
  const owner = model.parent?.model ?? 'Tenant';
  return [
    { path: 'prisma/schema.prisma', anchor: `model ${owner} {`, edit: (text) => withModel(text, model, owner) },
    {
      path: 'src/cache/dependencies/dependencies.ts',
      anchor: FOLLOWED_END,
      edit: (text) => before(text, FOLLOWED_END, followedRow(model)),
    },
    { path: 'src/registered-models.ts', anchor: REGISTERED, edit: (text) => withRegistration(text, model) },
    layerEdit(model),
  ];
}

/**
 * The text with an edit's addition.
 * @throws OperatorError when its place is not there
 */
export function edited({ path, edit, anchor }: Edit, text: string): string {
  const after = edit(text);
  if (after !== undefined) return after;
  throw new OperatorError(
    `${path} has no single line "${anchor}", beside which something must be written.`,
    'Nothing was written. Put the line back, or add the model by hand: docs/add-a-model.md.',
  );
}

const FOLLOWED_END = '} as const satisfies Readonly<Record<string, Following>>;';
const REGISTERED = 'export const REGISTERED_MODELS: Readonly<Record<MadeModel, Model>> = {';

function followedRow({ model, table, namespace, parent }: AskedModel): string {
  const key = parent ? `{ table: '${parent.table}', key: '${parent.column}' }` : `{ table: 'tenants' }`;
  return `  ${table}: {
    model: '${model}',
    changes: ['${namespace}'],
    readersDependOn: '${namespace}',
    parent: ${key},
  },
`;
}

function layerEdit({ folder, parent }: AskedModel): Edit {
  // Above what it imports; without a parent above the models' own folder.
  const anchor = `  ['${parent?.folder ?? 'models'}'],`;
  return { path: 'layers.mjs', anchor: anchor.trim(), edit: (text) => beforeLine(text, anchor, `  ['${folder}'],\n`) };
}

function withRegistration(text: string, { model, constant, folder, file }: AskedModel): string | undefined {
  const [head, rest, ...others] = text.split(REGISTERED);
  const [, rows, tail] = /^([^}]*)(\};[\s\S]*)$/.exec(rest ?? '') ?? [];
  const imports = head?.split('\n').filter((line) => /^import .* from /.test(line)) ?? [];
  if (head === undefined || rows === undefined || others.length > 0 || imports.length === 0) return undefined;
  const own = `import { ${constant} } from './${folder}/${file}.model.ts';`;
  const withImport = head.replace(imports.join('\n'), listOf([...imports, own]));
  if (withImport === head) return undefined;
  return `${withImport}${REGISTERED}${rows.endsWith('\n') ? rows : `${rows}\n`}  ${model}: ${constant},\n${tail}`;
}

function withModel(text: string, model: AskedModel, owner: string): string | undefined {
  const block = new RegExp(`^model ${owner} \\{\\n[\\s\\S]*?(?=\\n\\n  @@)`, 'gm');
  const [found, ...others] = [...text.matchAll(block)];
  if (!found || others.length > 0) return undefined;
  const end = found.index + found[0].length;
  const separator = /^ {2}\w+ +[A-Z]\w*\[\]/m.test(found[0]) ? '' : '\n';
  const field = `\n${separator}  ${model.list} ${model.model}[]`;
  return `${text.slice(0, end)}${field}${text.slice(end)}${prismaModel(model)}`;
}

function prismaModel(model: AskedModel): string {
  const { table, fields, parent } = model;
  const enums = enumsOf(model).map(({ name, type, values }) => {
    return `\nenum ${name} {\n${values.map((value) => `  ${value}\n`).join('')}\n  @@map("${type}")\n}\n`;
  });
  const relation = parent
    ? `  ${parent.field} ${parent.model} @relation(fields: [tenantId, ${parent.key}], references: [tenantId, id], onDelete: Cascade, onUpdate: NoAction)`
    : '  tenant Tenant @relation(fields: [tenantId], references: [id], onDelete: Cascade, onUpdate: NoAction)';
  return `${enums.join('')}
model ${model.model} {
  tenantId String @map("tenant_id") @db.Uuid
  id String @default(dbgenerated("uuid_v7()")) @db.Uuid
${parent ? `  ${parent.key} String @map("${parent.column}") @db.Uuid\n` : ''}${fields.map(prismaField).join('')}  createdAt DateTime @default(now()) @map("created_at") @db.Timestamptz(3)

${relation}

  @@id([tenantId, id])
  @@index([tenantId, createdAt, id], map: "${table}_tenant_created_idx")
${parent ? `  @@index([tenantId, ${parent.key}, createdAt, id], map: "${indexOfParent(model)}")\n` : ''}  @@map("${table}")
}
`;
}

function prismaField({ name, column, kind, isOptional }: AskedModel['fields'][number]): string {
  const [type, ...attributes] = kind.prisma.split(' @');
  const mapped = column === name ? [] : [`map("${column}")`];
  return `  ${name} ${type}${isOptional ? '?' : ''}${[...mapped, ...attributes].map((it) => ` @${it}`).join('')}\n`;
}

function before(text: string, anchor: string, addition: string): string | undefined {
  const [head, tail, ...others] = text.split(anchor);
  if (head === undefined || tail === undefined || others.length > 0) return undefined;
  return `${head}${addition}${anchor}${tail}`;
}

/** The anchor is the beginning of a line. */
function beforeLine(text: string, anchor: string, addition: string): string | undefined {
  return before(text, `\n${anchor}`, `\n${addition.trimEnd()}`);
}
