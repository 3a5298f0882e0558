import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

/**
 * @typedef {object} Datasource
 * @property {string} [url]
 * @property {string} [shadowDatabaseUrl]
 */

/**
 * @typedef {object} EngineArguments
 * @property {Datasource} datasource
 * @property {string[]} datamodels paths of the Prisma schema's files
 * @property {string | undefined} command of `cli <command>`; the JSON-RPC server when absent
 */

/**
 * Reads what Prisma's command line passes to its schema engine. Preview features come from the
 * schema itself, and the types of extensions are not needed here, so those two options are taken
 * and left alone.
 * @param {string[]} argv
 * @returns {EngineArguments}
 */
export function parseArguments(argv) {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      datasource: { type: 'string' },
      datamodels: { type: 'string', multiple: true },
      'enabled-preview-features': { type: 'string' },
      'extension-types': { type: 'string' },
    },
  });
  return {
    datasource: values.datasource ? JSON.parse(values.datasource) : {},
    datamodels: values.datamodels ?? [],
    command: positionals[0] === 'cli' ? positionals[1] : undefined,
  };
}

/**
 * @param {string[]} paths
 * @returns {import('@prisma/schema-engine-wasm').SchemaContainer[]}
 */
export function readDatamodels(paths) {
  return paths.map((path) => ({ path, content: readFileSync(path, 'utf8') }));
}
