import { availableParallelism } from 'node:os';
import { type AnswerKind, defaultTtlSeconds, KINDS, ttlSettingOf } from '../cache/dependencies/answer-kinds.ts';
import { counted } from '../counted.ts';
import { MAX_INTEGER } from '../limits.ts';
import {
  DEFAULT_QUEUE_LIMITS,
  DEFAULT_REQUEST_STATEMENTS,
  DEFAULT_SEARCH_SHARE,
  type QueueLimits,
} from './queue-limits.ts';
import { DEFAULT_SEARCH_LIMITS, defaultOperationPoints, type SearchLimits } from './search-limits.ts';
import { SettingsReader } from './settings-reader.ts';

/**
 * Every setting of the service, read once at start. Defaults and meanings stand in
 * docs/settings.md too.
 */
export interface Config {
  readonly production: boolean;
  /** Address to listen on; in development only this machine. */
  readonly host: string;
  readonly port: number;
  /** Where /metrics is, apart from everything else. Absent: on `port`. */
  readonly metricsPort: number | undefined;
  readonly logLevel: LogLevel;
  readonly database: {
    /** Absent: the embedded PostgreSQL (development only). */
    readonly url: string | undefined;
    /** For what needs a session of its own: the change feed, migrations. Absent: `url`. */
    readonly directUrl: string | undefined;
    readonly poolSize: number;
    readonly statementTimeoutMs: number;
    /** Of the queue for connections. */
    readonly queue: QueueLimits;
    /** In percent: how many of the connections searches hold at most, of all tenants together. */
    readonly searchShare: number;
    /** How many connections one request has, or waits for, at the same time. */
    readonly requestStatements: number;
  };
  /** Absent: cache entries and versions live in this process. */
  readonly redisUrl: string | undefined;
  readonly http: HttpConfig;
  readonly lifecycle: LifecycleConfig;
  readonly auth: AuthConfig;
  readonly cache: CacheConfig;
  readonly warmUp: WarmUpConfig;
  readonly limits: LimitsConfig;
  /** How long records are kept. */
  readonly retention: RetentionConfig;
  readonly subscriptions: SubscriptionsConfig;
  readonly monitoring: {
    /** Operations that take longer are logged. */
    readonly slowOperationMs: number;
    /** SQL statements that take longer are logged and shown by `performance`. */
    readonly slowQueryMs: number;
  };
  readonly accessLog: AccessLogConfig;
  /** `otlp`: traces are exported, as the OTEL_* variables say. */
  readonly telemetry: Telemetry;
  /**
   * What executes queries that come again: code compiled for them, or graphql-js as everything
   * else.
   */
  readonly executor: Executor;
  /** Sites whose pages may send requests; '*' is any. Empty: none but the service's own. */
  readonly corsOrigins: readonly string[];
  /** Apollo Sandbox at /graphql, GraphiQL at /graphiql, and introspection without a token. */
  readonly explorer: boolean;
  /** The page for operators at /ops. */
  readonly opsPage: boolean;
}

export interface HttpConfig {
  /** How long a client may take to send a whole request, headers and body. */
  readonly requestTimeoutMs: number;
  /** How long a connection is kept between requests: longer than the load balancer keeps it. */
  readonly idleTimeoutMs: number;
}

/** Of the lines in the log that tell of a request each. */
export interface AccessLogConfig {
  readonly enabled: boolean;
  /** Of so many answers from the cache one has a line; 0: none has. All others have one each. */
  readonly hitsPerLine: number;
}

/** How the service comes and goes. */
export interface LifecycleConfig {
  /** Processes that serve; with one, the process that was started serves itself. */
  readonly workers: number;
  /** How long a database that is not there yet is waited for. */
  readonly startupTimeoutMs: number;
  /** How long the service serves on after it says that it stops, so that balancers notice. */
  readonly shutdownDelayMs: number;
  /** After this the process ends, whatever is under way. Counted from the signal. */
  readonly shutdownTimeoutMs: number;
}

/** Of one process. */
export interface SubscriptionsConfig {
  /** Subscriptions that are open at the same time; as many connections by WebSocket. */
  readonly limit: number;
  /** Of one tenant. */
  readonly tenantLimit: number;
  /** How often a connection on which nothing happens is told that it is alive. */
  readonly heartbeatMs: number;
}

export interface RetentionConfig {
  /** Of audit lines. */
  readonly auditDays: number;
  /** Of idempotency keys: a request that is repeated later is carried out again. */
  readonly idempotencyHours: number;
}

export interface AuthConfig {
  /**
   * Shared secret for HS256 tokens. Absent in development: one is made and kept under .tenantry/.
   */
  readonly secret: string | undefined;
  /** The secret before it: tokens of it hold until they expire, and none are made with it. */
  readonly previousSecret?: string | undefined;
  /** Where the public keys of the identity provider are; excludes `secret`. */
  readonly jwksUrl: string | undefined;
  /** Required value of `iss`; not checked when absent. */
  readonly issuer: string | undefined;
  /** Required value of `aud`; not checked when absent. */
  readonly audience: string | undefined;
}

export interface CacheConfig {
  readonly enabled: boolean;
  /** Stands before every key and channel in Redis. */
  readonly keyPrefix: string;
  /** Bound of the in-process tier. */
  readonly memoryBytes: number;
  /**
   * How long the load of another process is waited for at most: as long as a statement may take.
   */
  readonly maxLoadMs: number;
  /** Larger entries are compressed in Redis. */
  readonly compressAboveBytes: number;
  /** How long entries are kept at most; freshness does not depend on it, memory does. */
  readonly ttlSeconds: Readonly<Record<AnswerKind, number>>;
  /** How many times a minute one caller may ask for `refresh: true`. */
  readonly refreshesPerMinute: number;
  /** How many times all callers of a tenant together. */
  readonly tenantRefreshesPerMinute: number;
  /** One of so many answers from the cache is computed once more and compared; 0: none. */
  readonly consistencySample: number;
}

/** Of the dashboards that are computed before somebody asks. */
export interface WarmUpConfig {
  readonly enabled: boolean;
  /** How many tenants' at most, in each process. */
  readonly tenants: number;
  /** Of tenants that were active within so many minutes. */
  readonly minutes: number;
}

export interface LimitsConfig {
  /**
   * Complexity points that one operation may cost: each is about a microsecond of work
   * (graphql/prices.ts).
   */
  readonly operationCost: number;
  /** Of what has to be counted or searched row by row. */
  readonly searches: SearchLimits;
  /** Levels of nesting of one operation. */
  readonly depth: number;
  /** Names, signs and values of one document. */
  readonly tokens: number;
  /** Of one operation, as its fragments are spread. */
  readonly aliases: number;
  readonly rootFields: number;
  readonly directives: number;
  /** Fields of one operation that stand in a selection set once more. */
  readonly repeatedFields: number;
  /** Complexity points that one caller may spend in a minute. */
  readonly pointsPerMinute: number;
  /** That all callers of a tenant together may spend, unless the tenant has a limit of its own. */
  readonly tenantPointsPerMinute: number;
  /** That all who send no token may spend together, on reading the schema. */
  readonly anonymousPointsPerMinute: number;
}

/** A minute of a CPU, which is what the event loop of a process has, in points of a microsecond. */
const PROCESS_POINTS_PER_MINUTE = 60_000_000;
/** With less nothing could be asked: it is what any operation costs (graphql/prices.ts). */
export const LEAST_POINTS_PER_MINUTE = 250;
/** One caller leaves half of a process to all others. */
const CALLER_SHARE = 0.5;
/** All callers of a tenant together leave a fifth of it to the other tenants. */
const TENANT_SHARE = 0.8;
/** All who send no token together use a tenth of it: some hundred times the whole schema. */
const ANONYMOUS_SHARE = 0.1;

const EXECUTORS = ['jit', 'graphql-js'] as const;
export type Executor = (typeof EXECUTORS)[number];

const TELEMETRY = ['off', 'otlp'] as const;
export type Telemetry = (typeof TELEMETRY)[number];

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A week: what is asked for less often need not be kept. */
const MAX_TTL_SECONDS = 604_800;

const KEY_PREFIX = /^[\w.:-]{0,64}$/;

/** HS256 asks for a key of at least its hash's length (RFC 7518, section 3.2). */
export const MIN_SECRET_BYTES = 32;

/**
 * Reads the settings.
 * @throws OperatorError that lists every setting that does not hold, with what was expected and
 *   what came
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const { config, read } = readSettings(env);
  read.finish();
  return config;
}

/** Every setting, those that do not hold by their default, and what is wrong with each of these. */
export function inspectConfig(env: NodeJS.ProcessEnv): {
  readonly config: Config;
  readonly problems: readonly string[];
} {
  const { config, read } = readSettings(env);
  return { config, problems: read.problems };
}

function readSettings(env: NodeJS.ProcessEnv): { config: Config; read: SettingsReader } {
  const read = new SettingsReader(env);
  const production = read.choice('NODE_ENV', ['development', 'production', 'test'], 'development') === 'production';
  const statementTimeoutMs = read.integer('STATEMENT_TIMEOUT_MS', 10_000, 1, 3_600_000);
  const redisUrl = read.url('REDIS_URL', ['redis:', 'rediss:']);
  const workers = readWorkers(read);
  const cacheOn = read.onOff('CACHE', true);
  const isShareable = workers === 1 || redisUrl !== undefined;
  if (production && cacheOn && !isShareable)
    read.contradiction(
      ['REDIS_URL', 'WORKERS', 'CACHE'],
      'set when WORKERS is more than 1',
      'workers share a cache only there; or CACHE=off',
      undefined,
    );
  const searches: SearchLimits = {
    rows: read.integer('LIMIT_COUNT_ROWS', DEFAULT_SEARCH_LIMITS.rows, 1, 1_000_000_000),
    timeoutMs: read.integer('LIMIT_SEARCH_TIMEOUT_MS', DEFAULT_SEARCH_LIMITS.timeoutMs, 1, 3_600_000),
  };
  const config: Config = {
    production,
    host: read.text('HOST') ?? (production ? '0.0.0.0' : '127.0.0.1'),
    port: read.integer('PORT', 4000, 0, 65_535),
    metricsPort: read.optionalInteger('METRICS_PORT', 1, 65_535),
    logLevel: read.choice('LOG_LEVEL', LOG_LEVELS, 'info'),
    database: {
      url: read.url('DATABASE_URL', ['postgresql:', 'postgres:']),
      directUrl: read.url('DATABASE_DIRECT_URL', ['postgresql:', 'postgres:']),
      poolSize: read.integer('DATABASE_POOL_SIZE', 10, 1, 1000),
      statementTimeoutMs,
      queue: {
        length: read.integer('DATABASE_QUEUE_LENGTH', DEFAULT_QUEUE_LIMITS.length, 0, 1_000_000),
        timeoutMs: read.integer('DATABASE_QUEUE_TIMEOUT_MS', DEFAULT_QUEUE_LIMITS.timeoutMs, 1, 3_600_000),
        tenantShare: read.integer('DATABASE_TENANT_SHARE', DEFAULT_QUEUE_LIMITS.tenantShare, 1, 100),
      },
      searchShare: read.integer('DATABASE_SEARCH_SHARE', DEFAULT_SEARCH_SHARE, 1, 100),
      requestStatements: read.integer('DATABASE_REQUEST_STATEMENTS', DEFAULT_REQUEST_STATEMENTS, 1, 1000),
    },
    redisUrl,
    http: {
      requestTimeoutMs: read.integer('HTTP_REQUEST_TIMEOUT_MS', 10_000, 100, 3_600_000),
      idleTimeoutMs: read.integer('HTTP_IDLE_TIMEOUT_MS', 72_000, 100, 3_600_000),
    },
    lifecycle: {
      workers,
      startupTimeoutMs: read.integer('STARTUP_TIMEOUT_MS', production ? 60_000 : 0, 0, 3_600_000),
      shutdownDelayMs: read.integer('SHUTDOWN_DELAY_MS', production ? 5_000 : 0, 0, 3_600_000),
      shutdownTimeoutMs: read.integer('SHUTDOWN_TIMEOUT_MS', 25_000, 1, 3_600_000),
    },
    auth: {
      secret: read.text('AUTH_SECRET'),
      previousSecret: read.text('AUTH_SECRET_PREVIOUS'),
      jwksUrl: read.url('AUTH_JWKS_URL', ['https:', 'http:']),
      issuer: read.text('AUTH_ISSUER'),
      audience: read.text('AUTH_AUDIENCE'),
    },
    cache: {
      // What one worker keeps, another's writes would not invalidate.
      enabled: cacheOn && isShareable,
      keyPrefix: readKeyPrefix(read),
      memoryBytes: read.integer('CACHE_MEMORY_BYTES', 64 * 1024 * 1024, 0, Number.MAX_SAFE_INTEGER),
      maxLoadMs: statementTimeoutMs,
      compressAboveBytes: read.integer('CACHE_COMPRESS_ABOVE_BYTES', 16 * 1024, 0, Number.MAX_SAFE_INTEGER),
      ttlSeconds: readTtlSeconds(read),
      refreshesPerMinute: read.integer('CACHE_REFRESHES_PER_MINUTE', 60, 0, 1_000_000),
      consistencySample: read.integer('CONSISTENCY_SAMPLE', 10_000, 0, 1_000_000_000),
      tenantRefreshesPerMinute: read.integer('CACHE_TENANT_REFRESHES_PER_MINUTE', 600, 0, 1_000_000),
    },
    warmUp: {
      enabled: read.onOff('WARM_UP', true),
      tenants: read.integer('WARM_UP_TENANTS', 100, 1, 10_000),
      minutes: read.integer('WARM_UP_MINUTES', 15, 1, 1_440),
    },
    limits: {
      operationCost: read.integer('LIMIT_OPERATION_COST', defaultOperationPoints(searches), 1, 10_000_000_000),
      searches,
      depth: read.integer('LIMIT_DEPTH', 12, 1, 100),
      tokens: read.integer('LIMIT_TOKENS', 1_000, 1, 100_000),
      aliases: read.integer('LIMIT_ALIASES', 30, 0, 100_000),
      rootFields: read.integer('LIMIT_ROOT_FIELDS', 30, 1, 100_000),
      directives: read.integer('LIMIT_DIRECTIVES', 50, 0, 100_000),
      repeatedFields: read.integer('LIMIT_REPEATED_FIELDS', 50, 0, 100_000),
      pointsPerMinute: read.integer(
        'LIMIT_POINTS_PER_MINUTE',
        CALLER_SHARE * PROCESS_POINTS_PER_MINUTE,
        LEAST_POINTS_PER_MINUTE,
        MAX_INTEGER,
      ),
      tenantPointsPerMinute: read.integer(
        'LIMIT_TENANT_POINTS_PER_MINUTE',
        TENANT_SHARE * PROCESS_POINTS_PER_MINUTE,
        LEAST_POINTS_PER_MINUTE,
        MAX_INTEGER,
      ),
      anonymousPointsPerMinute: read.integer(
        'LIMIT_ANONYMOUS_POINTS_PER_MINUTE',
        ANONYMOUS_SHARE * PROCESS_POINTS_PER_MINUTE,
        LEAST_POINTS_PER_MINUTE,
        MAX_INTEGER,
      ),
    },
    retention: {
      auditDays: read.integer('AUDIT_RETENTION_DAYS', 400, 30, 36_500),
      idempotencyHours: read.integer('IDEMPOTENCY_RETENTION_HOURS', 48, 1, 876_000),
    },
    subscriptions: {
      limit: read.integer('LIMIT_SUBSCRIPTIONS', 5_000, 0, 1_000_000),
      tenantLimit: read.integer('LIMIT_TENANT_SUBSCRIPTIONS', 1_000, 0, 1_000_000),
      heartbeatMs: read.integer('SUBSCRIPTION_HEARTBEAT_MS', 30_000, 100, 3_600_000),
    },
    monitoring: {
      slowOperationMs: read.integer('SLOW_OPERATION_MS', 500, 0, 3_600_000),
      slowQueryMs: read.integer('SLOW_QUERY_MS', 200, 0, 3_600_000),
    },
    accessLog: {
      enabled: read.onOff('ACCESS_LOG', true),
      hitsPerLine: read.integer('ACCESS_LOG_HITS', 1_000, 0, MAX_INTEGER),
    },
    telemetry: read.choice('TELEMETRY', TELEMETRY, 'off'),
    executor: read.choice('EXECUTOR', EXECUTORS, 'jit'),
    corsOrigins: read.origins('CORS_ORIGINS', production ? [] : ['*']),
    explorer: read.onOff('EXPLORER', !production),
    opsPage: read.onOff('OPS_PAGE', true),
  };
  checkAuth(read, config);
  checkMetricsPort(read, config);
  checkShutdown(read, config.lifecycle);
  if (production && !config.database.url)
    read.contradiction(['DATABASE_URL'], 'set in production', 'the URL of the PostgreSQL database', undefined);
  return { config: Object.freeze(config), read };
}

/** Of every kind of answer. */
function readTtlSeconds(read: SettingsReader): CacheConfig['ttlSeconds'] {
  const ttlOf = (kind: AnswerKind, absent: number) =>
    read.integer(ttlSettingOf(kind), defaultTtlSeconds(kind) ?? absent, 1, MAX_TTL_SECONDS);
  const other = ttlOf('other', MAX_TTL_SECONDS);
  return Object.fromEntries(KINDS.map((kind) => [kind, ttlOf(kind, other)])) as CacheConfig['ttlSeconds'];
}

function readWorkers(read: SettingsReader): number {
  return read.text('WORKERS') === 'auto' ? availableParallelism() : read.integer('WORKERS', 1, 1, 256, 'or auto');
}

function checkMetricsPort(read: SettingsReader, { port, metricsPort }: Config): void {
  if (metricsPort === undefined || metricsPort !== port) return;
  const remedy = 'unset it to have /metrics there, too';
  read.contradiction(['METRICS_PORT', 'PORT'], `another port than PORT (${port})`, remedy, String(metricsPort));
}

function checkShutdown(read: SettingsReader, { shutdownDelayMs, shutdownTimeoutMs }: LifecycleConfig): void {
  if (shutdownDelayMs < shutdownTimeoutMs) return;
  const expected = `less than SHUTDOWN_TIMEOUT_MS (${shutdownTimeoutMs}), which counts from the signal too`;
  const names = ['SHUTDOWN_DELAY_MS', 'SHUTDOWN_TIMEOUT_MS'] as const;
  read.contradiction(names, expected, 'nothing could finish; set one of the two', String(shutdownDelayMs));
}

/** Of characters that neither a pattern of Redis nor a hash tag gives a meaning to. */
function readKeyPrefix(read: SettingsReader): string {
  const prefix = read.text('CACHE_KEY_PREFIX') ?? '';
  if (!KEY_PREFIX.test(prefix))
    read.problem('CACHE_KEY_PREFIX', 'at most 64 letters, digits and . _ : -', 'for example staging:', prefix);
  return prefix;
}

function checkAuth(read: SettingsReader, { auth, production }: Config): void {
  if (auth.secret && auth.jwksUrl)
    read.contradiction(
      ['AUTH_SECRET', 'AUTH_JWKS_URL'],
      'absent when AUTH_JWKS_URL is set',
      'unset one of the two',
      '(set)',
    );
  if (auth.previousSecret && !auth.secret)
    read.contradiction(
      ['AUTH_SECRET_PREVIOUS', 'AUTH_SECRET'],
      'absent without AUTH_SECRET',
      'unset it, or set both',
      '(set)',
    );
  const example = 'for example the output of: openssl rand -base64 48';
  checkSecret(read, 'AUTH_SECRET', auth.secret, { production, remedy: example });
  const former = 'unset it, or give the whole of the former AUTH_SECRET';
  checkSecret(read, 'AUTH_SECRET_PREVIOUS', auth.previousSecret, { production, remedy: former });
  if (!production) return;
  if (!auth.secret && !auth.jwksUrl)
    read.contradiction(
      ['AUTH_JWKS_URL', 'AUTH_SECRET'],
      'set in production to the JWKS address of the identity provider, or AUTH_SECRET to a secret of your own',
      'one of the two',
      undefined,
    );
  if (auth.jwksUrl && !auth.issuer)
    read.contradiction(
      ['AUTH_ISSUER', 'AUTH_JWKS_URL'],
      'set together with AUTH_JWKS_URL',
      'the value of "iss" in its tokens',
      undefined,
    );
  if (auth.jwksUrl && !auth.audience)
    read.contradiction(
      ['AUTH_AUDIENCE', 'AUTH_JWKS_URL'],
      'set together with AUTH_JWKS_URL',
      'the value of "aud" in its tokens',
      undefined,
    );
}

function checkSecret(
  read: SettingsReader,
  name: string,
  secret: string | undefined,
  { production, remedy }: { readonly production: boolean; readonly remedy: string },
): void {
  if (secret === undefined) return;
  const bytes = Buffer.byteLength(secret);
  if (bytes < (production ? MIN_SECRET_BYTES : 1))
    read.problem(name, `at least ${MIN_SECRET_BYTES} bytes`, remedy, counted(bytes, 'byte'));
}
