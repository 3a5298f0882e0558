import { Redis } from 'ioredis';
import { OperatorError, UnavailableError } from '../../errors.ts';
import { settingOf } from '../../setting.mjs';
import { redisScripts } from './redis-scripts.ts';
import { identifyServer } from './redis-server.ts';

const CONNECT_TIMEOUT_MS = 5_000;
/** A person waits here, and no request: a busy Redis may take its time. */
const COMMAND_TIMEOUT_MS = 10_000;

/** The Redis that a command works on, with the id of the running server. */
export interface OperatorRedis {
  readonly client: Redis;
  readonly serverId: string;
  readonly isMaster: boolean;
  /** The client puts it before keys, but not before patterns. */
  readonly keyPrefix: string;
}

/**
 * Opens the Redis that REDIS_URL names, with CACHE_KEY_PREFIX as the service has it.
 * @param command as in `npm run <command>`: the connection's name in CLIENT LIST
 * @throws OperatorError when there is none, or it does not answer
 */
export async function openOperatorRedis(
  env: NodeJS.ProcessEnv = process.env,
  command = 'cache:inspect',
): Promise<OperatorRedis> {
  const url = settingOf(env, 'REDIS_URL');
  const keyPrefix = settingOf(env, 'CACHE_KEY_PREFIX') ?? '';
  if (!url)
    throw new OperatorError(
      'REDIS_URL is not set. Without Redis each process keeps its answers in its own memory, where no other can look.',
      'Set REDIS_URL as the service has it. Of a service without Redis, Cache-Status, x-cache-debug: 1 and /metrics tell.',
    );
  const { protocol, host } = URL.canParse(url) ? new URL(url) : { protocol: '', host: '' };
  if (!['redis:', 'rediss:'].includes(protocol))
    throw new OperatorError('REDIS_URL must begin with redis:// or rediss://.', 'Set it as the service has it.');
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    commandTimeout: COMMAND_TIMEOUT_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectionName: `tenantry ${command}`,
    keyPrefix,
    scripts: redisScripts(keyPrefix),
  });
  let reason = '';
  client.on('error', (error: Error) => {
    reason = error.message;
  });
  try {
    await client.connect();
    const { id, isMaster } = await identifyServer(client, keyPrefix);
    return { client, serverId: id, isMaster, keyPrefix };
  } catch (error) {
    client.disconnect();
    throw new UnavailableError(
      `Redis at ${host} cannot be used: ${reason || (error as Error).message}`,
      'See that it is running, and that REDIS_URL is as the service has it.',
      { cause: error },
    );
  }
}
