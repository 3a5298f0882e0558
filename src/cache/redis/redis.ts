import { Redis } from 'ioredis';
import { type IRateLimiterRedisOptions, RateLimiterRedis } from 'rate-limiter-flexible';
import { type BreakerLimits, type BreakerState, CircuitBreaker } from './circuit-breaker.ts';
import { redisScripts } from './redis-scripts.ts';
import { identifyServer } from './redis-server.ts';
import { beginRedisSpan, type RedisCall } from './redis-span.ts';
import { RedisSubscription } from './redis-subscription.ts';

/** A healthy Redis answers in well under a millisecond; after this a request goes on without it. */
const COMMAND_TIMEOUT_MS = 250;
const CONNECT_TIMEOUT_MS = 2_000;
const RECONNECT_DELAY_MS = 50;
const MAX_RECONNECT_DELAY_MS = 1_000;
/** What a master answers to a write after it was made a replica, also from within a script. */
const READ_ONLY = /\bREADONLY\b/;

/** What a command is for. One purpose that fails is left alone while the others go on. */
export type RedisPurpose = 'read' | 'fill' | 'bump' | 'count';

const LIMITS: Readonly<Record<RedisPurpose, BreakerLimits>> = {
  /** A request waits for it: those after the third failure in a row do not. */
  read: { failures: 3, openMs: 1_000 },
  /**
   * Nobody waits for it. A Redis whose memory is full refuses it for long, and answers all else.
   */
  fill: { failures: 1, openMs: 1_000 },
  /**
   * With the lease. A mutation waits for it and tries again every 50 ms, so that the way back is
   * found soon.
   */
  bump: { failures: 3, openMs: 200 },
  /**
   * Of budgets: a write, which a full Redis refuses as it does a fill. Few requests wait for it.
   */
  count: { failures: 1, openMs: 1_000 },
};

/** What every failure of Redis is thrown as. Whoever watches the connection has been told of it. */
export class RedisFailed extends Error {
  override name = 'RedisFailed';
}

/**
 * Thrown instead of asking a Redis that is not connected, or just failed several times in a row.
 */
export class RedisLeftAlone extends RedisFailed {
  override name = 'RedisLeftAlone';
}

export interface RedisSettings {
  /** Stands before every key and channel. Empty when absent. */
  readonly keyPrefix?: string;
  /** Told when all that failed works again. */
  readonly onRecovered?: () => void;
}

/**
 * A connection to a Redis master that fails fast: nothing is queued while it is down, no command is
 * sent twice, and after some failures in a row none of the same purpose is sent for a while. A
 * server that is a replica, or becomes one, is left: the next connection may lead to the new
 * master.
 */
export class FastRedis {
  readonly #client: Redis;
  readonly #breakers: Readonly<Record<RedisPurpose, CircuitBreaker>> = {
    read: new CircuitBreaker(LIMITS.read),
    fill: new CircuitBreaker(LIMITS.fill),
    bump: new CircuitBreaker(LIMITS.bump),
    count: new CircuitBreaker(LIMITS.count),
  };
  /** What fails at the moment. */
  readonly #failing = new Set<RedisPurpose | 'connection' | 'subscription'>();
  readonly #keyPrefix: string;
  readonly #onRecovered: () => void;
  #serverId: string | undefined;
  #identifying: Promise<string> | undefined;
  /** Connections in a row that led to a replica. */
  #replicas = 0;

  /** @param onError told of lost connections and of every command that failed */
  constructor(
    url: string,
    private readonly onError: (error: Error) => void,
    { keyPrefix = '', onRecovered = () => {} }: RedisSettings = {},
  ) {
    this.#keyPrefix = keyPrefix;
    this.#onRecovered = onRecovered;
    this.#client = new Redis(url, {
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      connectTimeout: CONNECT_TIMEOUT_MS,
      commandTimeout: COMMAND_TIMEOUT_MS,
      retryStrategy: (attempt) =>
        Math.min(RECONNECT_DELAY_MS * Math.max(attempt, this.#replicas), MAX_RECONNECT_DELAY_MS),
      reconnectOnError: ({ message }) => READ_ONLY.test(message),
      connectionName: 'tenantry',
      keyPrefix,
      scripts: redisScripts(keyPrefix),
    });
    this.#client.on('error', (error) => this.#failed('connection', error));
    this.#client.on('ready', () => {
      this.#identify().catch((error) => this.#failed('connection', error));
    });
    this.#client.on('close', () => {
      this.#serverId = undefined;
    });
  }

  /**
   * Sends commands. @throws when Redis does not answer as it should, or is left alone
   * @param work what to send; it is given the id of the server, which a restarted or another one
   *   does not share
   * @param purpose whose failures in a row decide whether Redis is left alone
   * @param call what `work` sends, for the span. Absent: it has none
   * @param request for which; absent outside of requests, which have no spans
   */
  async run<Result>(
    work: (client: Redis, serverId: string) => Promise<Result>,
    purpose: RedisPurpose = 'read',
    call?: RedisCall,
    request?: object,
  ): Promise<Result> {
    // No failure to count: it costs nothing, and the connection is being made again all the while.
    if (this.#client.status !== 'ready') throw new RedisLeftAlone('Redis is not connected');
    const breaker = this.#breakers[purpose];
    if (breaker.isOpen) throw new RedisLeftAlone('Redis failed several times in a row and is left alone for a moment');
    const endSpan = beginRedisSpan(call, request);
    try {
      const serverId = this.#serverId ?? (await this.#identify());
      this.#gatherCommands();
      const result = await work(this.#client, serverId);
      if (this.#serverId !== serverId) throw new Error('the connection to Redis was lost while it answered');
      breaker.succeeded();
      endSpan?.();
      if (this.#failing.size > 0) this.#succeeded(purpose);
      return result;
    } catch (cause) {
      breaker.failed();
      endSpan?.(cause as Error);
      this.#failed(purpose, cause as Error);
      throw new RedisFailed((cause as Error).message, { cause });
    }
  }

  /** Counts in this Redis. What it sends belongs into `run`. */
  limiter(options: Omit<IRateLimiterRedisOptions, 'storeClient'>): RateLimiterRedis {
    return new RateLimiterRedis({ ...options, storeClient: this.#client });
  }

  /** Connects anew, since the server is not the one that it was. */
  leave(reason: string): void {
    this.#serverId = undefined;
    this.#failed('connection', new Error(reason));
    this.#client.disconnect(true);
  }

  /**
   * The id of the server that is connected; undefined while none is, and until the first command to
   * it.
   */
  get serverId(): string | undefined {
    return this.#serverId;
  }

  /** Of the circuit breaker of each purpose. */
  get breakers(): readonly (readonly [purpose: RedisPurpose, state: BreakerState])[] {
    return Object.entries(this.#breakers).map(([purpose, { state }]) => [purpose as RedisPurpose, state]);
  }

  /**
   * Hears the messages of a channel until it is closed.
   * @param onActive called whenever it begins to hear, again too
   */
  subscribe(channel: string, onMessage: (message: string) => void, onActive: () => void = () => {}): RedisSubscription {
    const client = this.#client.duplicate({
      connectionName: 'tenantry lease revocations',
      lazyConnect: true,
      autoResubscribe: false, // it must be known when that is done
    });
    return new RedisSubscription(client, this.#keyPrefix + channel, {
      onMessage,
      onActive: () => {
        this.#succeeded('subscription');
        onActive();
      },
      onError: (error) => this.#failed('subscription', error),
    });
  }

  /** Sends a message to those who hear the channel. */
  async publish(channel: string, message: string): Promise<void> {
    await this.run((client) => client.publish(this.#keyPrefix + channel, message), 'bump');
  }

  /** For the health check. @throws when no master answers */
  async check(): Promise<void> {
    if (this.#client.status !== 'ready') throw new RedisLeftAlone('Redis is not connected');
    await this.#identify();
  }

  /** Bytes that Redis uses for its data; undefined when it does not say. */
  async memoryBytes(): Promise<number | undefined> {
    const used = /^used_memory:(\d+)/m.exec(await this.run((client) => client.info('memory')))?.[1];
    return used === undefined ? undefined : Number(used);
  }

  async close(): Promise<void> {
    this.#client.disconnect();
  }

  /** Asks the server who it is. @throws when it is no master; the connection is made anew then */
  #identify(): Promise<string> {
    this.#identifying ??= this.#askIdentity().finally(() => {
      this.#identifying = undefined;
    });
    return this.#identifying;
  }

  async #askIdentity(): Promise<string> {
    const { id, isMaster } = await identifyServer(this.#client, this.#keyPrefix);
    if (!isMaster) {
      this.#replicas++;
      this.leave('Redis is a replica, which takes no writes');
      throw new RedisFailed('Redis is a replica, which takes no writes');
    }
    this.#replicas = 0;
    if (this.#serverId !== undefined && this.#serverId !== id) this.leave('Redis was a replica meanwhile');
    else this.#serverId = id;
    this.#succeeded('connection');
    return id;
  }

  #failed(what: RedisPurpose | 'connection' | 'subscription', error: Error): void {
    this.#failing.add(what);
    this.onError(error);
  }

  #succeeded(what: RedisPurpose | 'connection' | 'subscription'): void {
    if (this.#failing.delete(what) && this.#failing.size === 0) this.#onRecovered();
  }

  /**
   * What the requests of one turn of the event loop send leaves in one system call, at the turn's
   * end. A call for each command would be much of an answer from the cache; ioredis's own
   * pipelining (`enableAutoPipelining`) saves half as much.
   */
  #gatherCommands(): void {
    const { stream } = this.#client;
    if (!stream || stream.writableCorked > 0) return;
    stream.cork();
    setImmediate(() => stream.uncork());
  }
}
