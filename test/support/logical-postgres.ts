import path from 'node:path';
import { acquireEmbeddedPostgres, removeEmbeddedPostgres } from '../../src/embedded/index.mjs';
import { identityOf } from '../../src/embedded/process-identity.mjs';
import { withClient } from './postgres.ts';

/** A server of its own whose log can be decoded, for logical replication between its databases. */
export interface LogicalPostgres {
  /** A new database with nothing in it, as the superuser. */
  createDatabase(name: string): Promise<string>;
  stop(): Promise<void>;
}

const SETTINGS = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', wal_level: 'logical' };

export async function startLogicalPostgres(): Promise<LogicalPostgres> {
  const directory = path.resolve(import.meta.dirname, '../../.tenantry/test', identityOf());
  const server = await acquireEmbeddedPostgres({ directory, settings: SETTINGS });
  return {
    async createDatabase(name) {
      await withClient(server.url, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE template0`));
      return new URL(`/${name}`, server.url).href;
    },
    async stop() {
      await server.release();
      await removeEmbeddedPostgres({ directory });
    },
  };
}
