import type { Redis } from 'ioredis';

/** Enough to tell one random id from another. */
const ID_LENGTH = 16;

/** A Redis, as a connection to it sees it. */
export interface RedisServer {
  /**
   * Names the process, the history of its data and the number of the database. The history's id is
   * a new one whenever a server becomes a master: one that was a replica for a moment may have lost
   * what it had.
   */
  readonly id: string;
  readonly isMaster: boolean;
}

/**
 * @param keyPrefix deployments that share a Redis under different prefixes have nothing in common
 */
export async function identifyServer(client: Redis, keyPrefix: string): Promise<RedisServer> {
  const [server, replication, connection] = await Promise.all([
    client.info('server'),
    client.info('replication'),
    client.client('INFO'),
  ]);
  const id = [
    shortened(field(server, /^run_id:(\w+)/m, 'run_id (INFO server)')),
    shortened(field(replication, /^master_replid:(\w+)/m, 'master_replid (INFO replication)')),
    field(String(connection), /\bdb=(\d+)/, 'db (CLIENT INFO)'),
    ...(keyPrefix ? [keyPrefix] : []),
  ].join('/');
  return { id, isMaster: field(replication, /^role:(\w+)/m, 'role (INFO replication)') === 'master' };
}

/** The part of the id that names the history of the data. */
export function historyOf(serverId: string): string {
  return serverId.split('/')[1] ?? '';
}

/** Gives in Lua the role of the server and its history, as `historyOf` does. */
export const LUA_REPLICATION = `
local replication = redis.call('INFO', 'replication')
local role = string.match(replication, 'role:(%w+)')
local history = string.sub(string.match(replication, 'master_replid:(%w+)'), 1, ${ID_LENGTH})`;

function shortened(id: string): string {
  return id.slice(0, ID_LENGTH);
}

function field(text: string, pattern: RegExp, name: string): string {
  const value = pattern.exec(text)?.[1];
  if (value === undefined) throw new Error(`Redis does not tell its ${name}`);
  return value;
}
