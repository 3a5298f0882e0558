import { createRequire } from 'node:module';
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import type { Config } from '../config/config.ts';

/** Headers that let their reader act as the caller. */
const SECRET_HEADERS = ['authorization', 'cookie', 'set-cookie'];
const PLACES_OF_HEADERS = ['', 'headers', 'request.headers', 'res.headers', 'reply.headers'];

/** How deep the causes of an error are followed. */
const MAX_CAUSES = 5;

/**
 * The service's log: one JSON object a line on stdout, or readable lines in development on a
 * terminal. Tokens and cookies are left out, and so are query strings, which may hold a GraphQL
 * request's variables.
 * @param destination stdout when absent
 */
export function createLogger(config: Pick<Config, 'production' | 'logLevel'>, destination?: DestinationStream): Logger {
  const options = {
    level: config.logLevel,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    redact: { paths: PLACES_OF_HEADERS.flatMap(secretsIn), censor: '(redacted)' },
    serializers: { req: describeRequest, err: describeError },
  };
  return pino(options, destination ?? readableStream(config) ?? pino.destination(1));
}

function secretsIn(place: string): string[] {
  return SECRET_HEADERS.map((header) => `${place}["${header}"]`);
}

/** pino-pretty is a development dependency: without it the lines stay JSON. */
function readableStream({ production }: Pick<Config, 'production'>): DestinationStream | undefined {
  if (production || !process.stdout.isTTY) return undefined;
  const require = createRequire(import.meta.url);
  try {
    const pretty: (options: object) => DestinationStream = require('pino-pretty');
    return pretty({ translateTime: 'SYS:HH:MM:ss.l', ignore: 'pid,hostname', sync: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Fastify's request, or whatever else was logged as `req`: logging must not throw. */
interface LoggedRequest {
  readonly method?: string;
  readonly url?: string;
  readonly ip?: string;
}

function describeRequest({ method, url, ip }: LoggedRequest) {
  return { method, path: url?.split('?', 1)[0], remoteAddress: ip };
}

/**
 * Not all of an error's properties: PostgreSQL's `detail` and Prisma's `meta` hold the values of
 * rows.
 */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  const causes = error instanceof AggregateError ? error.errors : cause === undefined ? [] : [cause];
  return {
    type: name,
    message,
    ...(code !== undefined && { code }),
    stack,
    ...(causes.length > 0 && depth < MAX_CAUSES && { causes: causes.map((each) => describeError(each, depth + 1)) }),
  };
}
