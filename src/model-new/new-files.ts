import type { AskedModel } from './asked-model.ts';
import type { AskedField, FieldEnum } from './fields.ts';
import { capital, listOf } from './text.ts';

/** The files that a model has to itself, by their paths. */
export function newFiles(model: AskedModel, migration: string): Readonly<Record<string, string>> {
  const { folder, file, table } = model;
  return {
    [`prisma/migrations/${migration}_${table}/migration.sql`]: migrationOf(model),
    [`src/${folder}/${file}.type.ts`]: typeOf(model),
    [`src/${folder}/${file}.model.ts`]: modelOf(model),
    [`test/${folder}/${file}.test.ts`]: testOf(model),
  };
}

export function enumsOf({ fields }: AskedModel): FieldEnum[] {
  return fields.flatMap(({ ofEnum }) => ofEnum ?? []);
}

/** As `prisma migrate diff` writes it, and what every table of the tenants' has. */
function migrationOf(model: AskedModel): string {
  const { table, fields, parent, bits } = model;
  const columns = [
    '"tenant_id" UUID NOT NULL',
    '"id" UUID NOT NULL DEFAULT uuid_v7()',
    ...(parent ? [`"${parent.column}" UUID NOT NULL`] : []),
    ...fields.map(({ column, kind, isOptional }) => `"${column}" ${kind.sql}${isOptional ? '' : ' NOT NULL'}`),
    '"created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP',
  ];
  const [keys, referenced, name] = parent
    ? [
        `"tenant_id", "${parent.column}"`,
        `"${parent.table}"("tenant_id", "id")`,
        `${table}_tenant_id_${parent.column}_fkey`,
      ]
    : ['"tenant_id"', '"tenants"("id")', `${table}_tenant_id_fkey`];
  return `${enumsOf(model)
    .map(
      ({ type, values }) =>
        `-- CreateEnum\nCREATE TYPE "${type}" AS ENUM (${values.map((value) => `'${value}'`).join(', ')});\n\n`,
    )
    .join('')}-- CreateTable
CREATE TABLE "${table}" (
${columns.map((column) => `    ${column},\n`).join('')}
    CONSTRAINT "${table}_pkey" PRIMARY KEY ("tenant_id","id")
);

-- CreateIndex
CREATE INDEX "${table}_tenant_created_idx" ON "${table}"("tenant_id", "created_at", "id");
${
  parent
    ? `
-- CreateIndex
CREATE INDEX "${indexOfParent(model)}" ON "${table}"("tenant_id", "${parent.column}", "created_at", "id");
`
    : ''
}
-- AddForeignKey
ALTER TABLE "${table}" ADD CONSTRAINT "${name}" FOREIGN KEY (${keys}) REFERENCES ${referenced} ON DELETE CASCADE ON UPDATE NO ACTION;

-- Policy, limits of values and the service's right to read; then the cache's outbox, told of every change with the bits of
-- src/cache/dependencies/dependencies.ts.
SELECT tenant_table('${table}');
SELECT follow_table('${table}', ${bits});
SELECT settle_ownership();
`;
}

export function indexOfParent({ table, parent }: AskedModel): string {
  return `${table}_tenant_${parent?.column.replace(/_id$/, '')}_created_idx`;
}

function typeOf(model: AskedModel): string {
  const { model: name, parent, fields, list } = model;
  const enums = enumsOf(model);
  const has = (graphql: string) => fields.some(({ kind }) => kind.graphql === graphql);
  const scalars = ['DateScalar', 'DateTimeScalar', 'DecimalScalar'].filter((it) => it === 'DateTimeScalar' || has(it));
  const decorators = [
    'Field',
    'ID',
    ...(has('Int') ? ['Int'] : []),
    'ObjectType',
    ...(enums.length ? ['registerEnumType'] : []),
  ];
  return `import { ${decorators.join(', ')} } from 'type-graphql';
${
  enums.length
    ? `import { ${enums
        .map((it) => it.name)
        .sort()
        .join(', ')} } from '../generated/prisma/enums.ts';\n`
    : ''
}import { connectionTypes } from '../graphql/pagination.type.ts';
import { ${scalars.join(', ')} } from '../graphql/scalars.ts';

${enums.map(registered).join('')}@ObjectType({ description: 'One of the ${list} of ${parent ? `a ${parent.model}` : 'the tenant'}.', simpleResolvers: true })
export class ${name} {
  @Field(() => ID, { description: 'Stable id, a UUID.' })
  id!: string;
${
  parent
    ? `
  /** What it belongs to; shown as \`${parent.field}\`. */
  ${parent.key}!: string;
`
    : ''
}
${fields.map(propertyOf).join('\n\n')}

  @Field(() => DateTimeScalar, { description: 'When the row was written.' })
  createdAt!: string;
}

export const { Connection: ${name}Connection, Edge: ${name}Edge } = connectionTypes('${name}', () => ${name});
`;
}

function registered({ name, values }: FieldEnum): string {
  return `registerEnumType(${name}, {
  name: '${name}',
  description: 'One of ${values.join(', ')}.',
  valuesConfig: {
${values.map((value) => `    ${value}: { description: 'The value ${value}.' },`).join('\n')}
  },
});

`;
}

function propertyOf({ name, kind, isOptional }: AskedField): string {
  const description = `'${capital(name)}: ${kind.values}${isOptional ? '; null: none' : ''}.'`;
  const options = isOptional ? `nullable: true, description: ${description}` : `description: ${description}`;
  return `  @Field(() => ${kind.graphql}, { ${options} })
  ${name}!: ${kind.typescript}${isOptional ? ' | null' : ''};`;
}

function modelOf({ model, list, constant, file, parent, fields }: AskedModel): string {
  const enums = fields.flatMap(({ ofEnum }) => ofEnum ?? []);
  const columns = new Set([...(parent ? ['reference'] : []), ...fields.map(({ kind }) => kind.column)]);
  const imports = [
    ...(parent ? [`import { ${parent.model} } from '../${parent.folder}/${parent.file}.type.ts';`] : []),
    ...(parent?.constant ? [`import { ${parent.constant} } from '../${parent.folder}/${parent.file}.model.ts';`] : []),
    ...(enums.length
      ? [
          `import { ${enums
            .map(({ name }) => name)
            .sort()
            .join(', ')} } from '../generated/prisma/enums.ts';`,
        ]
      : []),
    `import { ${[...columns].sort().join(', ')} } from '../models/columns.ts';`,
    `import { defineModel } from '../models/define-model.ts';`,
  ];
  const load = parent?.constant ? `loaders.models.of(${parent.constant}).byIds` : 'loaders.accounts.byIds';
  return `${listOf(imports)}
import { ${model}, ${model}Connection } from './${file}.type.ts';

/** Each property has its column, by which the filter has its fields. */
export const ${constant} = defineModel<${model}>({
  model: '${model}',
  list: '${list}',
  type: ${model},
  connection: ${model}Connection,
${
  parent
    ? `  parent: {
    type: () => ${parent.model},
    field: '${parent.field}',
    key: '${parent.key}',
    load: ({ loaders }, ids, wanted) => ${load}(ids, wanted),
  },
`
    : ''
}  columns: {
${parent ? `    ${parent.key}: reference('${parent.column}'),\n` : ''}${fields.map(columnOf).join('\n')}
  },
});
`;
}

function columnOf({ name, column, kind, ofEnum }: AskedField): string {
  const args = ofEnum ? `'${column}', ${ofEnum.name}, '${ofEnum.type}'` : `'${column}'`;
  return `    ${name}: ${kind.column}(${args}),`;
}

function testOf({ model, fields }: AskedModel): string {
  const row = (place: 0 | 1) =>
    `  {\n${fields.map(({ column, kind }) => `    ${column}: '${kind.samples[place]}',\n`).join('')}  },\n`;
  return `import { REGISTERED_MODELS } from '../../src/registered-models.ts';
import { describeModel } from '../models/describe-model.ts';

// What every model keeps to. What this one keeps to beside that goes below.
describeModel(REGISTERED_MODELS.${model}, [
${row(0)}${row(1)}]);
`;
}
