import { ColumnTypeEnum } from '@prisma/driver-adapter-utils';

/** @typedef {import('@prisma/driver-adapter-utils').SqlDriverAdapter} SqlDriverAdapter */

/**
 * Stands in for a connection where the work needs no database, as a diff between two schema files:
 * the WebAssembly engine always begins by asking for the version, and this answers that alone.
 * @returns {SqlDriverAdapter}
 */
export function createOfflineAdapter() {
  return {
    provider: 'postgres',
    adapterName: '@prisma/adapter-pg',
    queryRaw: async ({ sql }) => {
      if (!sql.includes('server_version_num')) refuse(sql);
      return {
        columnNames: ['exists', 'version', 'numeric_version'],
        columnTypes: [ColumnTypeEnum.Boolean, ColumnTypeEnum.Text, ColumnTypeEnum.Int32],
        rows: [[true, 'PostgreSQL 18.0', 180000]],
      };
    },
    executeRaw: async ({ sql }) => refuse(sql),
    executeScript: async (script) => refuse(script),
    startTransaction: async () => refuse('BEGIN'),
    getConnectionInfo: () => ({ schemaName: 'public', supportsRelationJoins: true }),
    dispose: async () => {},
  };
}

/**
 * @param {string} sql
 * @returns {never}
 */
function refuse(sql) {
  throw new Error(`This command was taken to need no database, but asks for one: ${sql}`);
}
