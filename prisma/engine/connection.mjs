import pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';

import { endUnconnected, missingPassword } from '../../src/database/missing-password.mjs';
import { connectionError, EngineError } from './errors.mjs';

/**
 * Where a datasource's URL points.
 * @typedef {object} Target
 * @property {import('pg').ClientConfig} config
 * @property {string} place `host:port`, for messages
 * @property {string} schema the PostgreSQL schema that Prisma works in
 */

/** What Prisma's native engine waits for a connection when the URL has no `connect_timeout`. */
const CONNECT_TIMEOUT_SECONDS = 5;
const DEFAULT_SCHEMA = 'public';
/** One is there on nearly every server; the last is DigitalOcean's. */
const MAINTENANCE_DATABASES = ['postgres', 'template1', 'defaultdb'];
/**
 * Prisma's own parameters that node-postgres would silently ignore, with what does the same there.
 */
const UNSUPPORTED_PARAMETERS = {
  sslaccept: 'say sslmode=no-verify for accept_invalid_certs, and sslmode=verify-full for strict',
  sslidentity: 'give the certificate and key as PEM files, with sslcert and sslkey',
  sslpassword: 'give an unencrypted key file, with sslkey',
};

/**
 * Reads a URL as node-postgres does, so that Prisma and the service agree on what it says, TLS
 * included, and adds what only Prisma knows: `schema` and `connect_timeout`.
 * @param {string | undefined} url
 * @returns {Target}
 * @throws {EngineError} P1013, which never repeats the URL: it holds a password
 */
export function parseTarget(url) {
  const parameters = checkedParameters(url);
  const config = { ...readConfig(url) };
  config.host ||= 'localhost';
  config.port ||= 5432;
  config.database ||= 'postgres';
  config.connectionTimeoutMillis = 1000 * Number(parameters.get('connect_timeout') ?? CONNECT_TIMEOUT_SECONDS);
  config.application_name ??= 'prisma-schema-engine';
  // node-postgres lets a connection string win over `database`: the shadow database's connection
  // would open the main one.
  delete config.connectionString;
  return { config, place: `${config.host}:${config.port}`, schema: parameters.get('schema') ?? DEFAULT_SCHEMA };
}

/**
 * Runs `work` on a connection of its own.
 * @template T
 * @param {Target} target
 * @param {(client: import('pg').Client) => Promise<T>} work
 * @returns {Promise<T>}
 * @throws {EngineError} when the database cannot be reached
 */
export async function withClient(target, work) {
  const client = new pg.Client(target.config);
  // Without a listener, the end of a connection that nobody waits for would end the process.
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    endUnconnected(client);
    const missing = missingPassword(client, 'DATABASE_URL', /** @type {Error} */ (error));
    if (missing) throw new EngineError('P1000', `There is ${missing.reason}.\n\n${missing.remedy}`, error);
    throw connectionError(/** @type {Error} */ (error), target);
  }
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/**
 * Makes unqualified names mean the URL's schema, as the native engine does.
 * @param {import('pg').ClientBase} client
 * @param {string} schema
 */
export async function useSchema(client, schema) {
  await client.query(`SET search_path = ${pg.escapeIdentifier(schema)}`);
}

/**
 * Makes the database that the target names, from a connection to one that nearly every server has.
 * @param {Target} target
 */
export async function createDatabase(target) {
  const sql = `CREATE DATABASE ${pg.escapeIdentifier(String(target.config.database))}`;
  for (const database of MAINTENANCE_DATABASES) {
    try {
      const maintenance = { ...target, config: { ...target.config, database } };
      await withClient(maintenance, (client) => client.query(sql));
      return;
    } catch (error) {
      if (error instanceof EngineError && ['P1003', 'P1010'].includes(error.code ?? '')) continue;
      throw error instanceof EngineError ? error : connectionError(/** @type {Error} */ (error), target);
    }
  }
  const tried = MAINTENANCE_DATABASES.join('`, `');
  throw new EngineError('P3000', `Failed to create database: none of the databases \`${tried}\` may be connected to.`);
}

/**
 * @param {string | undefined} url
 * @returns {URLSearchParams}
 */
function checkedParameters(url) {
  if (!url) throw invalid('The datasource has no URL. Set DATABASE_URL, or `datasource.url` in prisma.config.ts.');
  const scheme = /^([a-z0-9+.-]+):/i.exec(url)?.[1];
  if (scheme !== 'postgresql' && scheme !== 'postgres') {
    throw invalid(`It must begin with postgresql:// or postgres://, but begins with ${scheme ?? 'no scheme'}.`);
  }
  const parameters = new URLSearchParams(/\?(.*)$/.exec(url)?.[1]);
  for (const [name, remedy] of Object.entries(UNSUPPORTED_PARAMETERS)) {
    if (parameters.has(name))
      throw invalid(`Its parameter ${name} is not known to node-postgres, the driver here: ${remedy}.`);
  }
  const timeout = parameters.get('connect_timeout');
  if (timeout !== null && !/^\d+$/.test(timeout)) {
    throw invalid(`Its parameter connect_timeout must be a number of seconds, but is ${timeout}.`);
  }
  const schema = parameters.get('schema');
  if (schema?.includes('"')) throw invalid(`Its parameter schema may not hold a double quote, but is ${schema}.`);
  return parameters;
}

/** @param {string | undefined} url */
function readConfig(url) {
  try {
    return parseIntoClientConfig(String(url));
  } catch (error) {
    throw invalid(/** @type {Error} */ (error).message);
  }
}

/** @param {string} details */
function invalid(details) {
  return new EngineError('P1013', `The provided database string is invalid. ${details}`);
}
