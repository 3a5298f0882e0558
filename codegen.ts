import type { CodegenConfig } from '@graphql-codegen/cli';

/**
 * Typed operations from schema.graphql, without a running service: those of the tests here; a
 * frontend copies this file and names its own folders (docs/frontends.md). Documents are strings,
 * so that no client parses GraphQL.
 */
const config: CodegenConfig = {
  schema: 'schema.graphql',
  documents: 'test/operations/*.graphql',
  importExtension: '.ts',
  generates: {
    'test/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false, skipIndexFile: true },
      config: {
        documentMode: 'string',
        useTypeImports: true,
        enumsAsTypes: true,
        strictScalars: true,
        scalars: { ID: 'string', Date: 'string', DateTime: 'string', Decimal: 'string' },
      },
    },
  },
};

export default config;
