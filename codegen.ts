import type { CodegenConfig } from '@graphql-codegen/cli';

/**
 * Typed operations from schema.graphql, without a running service: those of the tests and of the
 * page for operators; a frontend copies this file and names its own folders (docs/frontends.md). Documents are strings,
 * so that no client parses GraphQL.
 */
const config: CodegenConfig = {
  schema: 'schema.graphql',
  importExtension: '.ts',
  generates: {
    'test/generated/': operationsOf('test/operations/*.graphql'),
    'src/ops/page/generated/': operationsOf('src/ops/page/*.graphql'),
  },
};

function operationsOf(documents: string) {
  return {
    documents,
    preset: 'client' as const,
    presetConfig: { fragmentMasking: false, skipIndexFile: true },
    config: {
      documentMode: 'string',
      useTypeImports: true,
      enumsAsTypes: true,
      strictScalars: true,
      scalars: { ID: 'string', Date: 'string', DateTime: 'string', Decimal: 'string' },
    },
  };
}

export default config;
