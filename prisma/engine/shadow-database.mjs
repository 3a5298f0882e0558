import { randomUUID } from 'node:crypto';
import pg from 'pg';

import { parseTarget, withClient } from './connection.mjs';
import { EngineError } from './errors.mjs';

/** @typedef {import('@prisma/driver-adapter-utils').SqlDriverAdapter} SqlDriverAdapter */
/** @typedef {import('./adapter.mjs').Opened} Opened */
/** @typedef {import('./connection.mjs').Target} Target */

/**
 * @typedef {object} ShadowOptions
 * @property {Target} main
 * @property {string} mainIdentity
 * @property {(target: Target) => Promise<Opened>} open what it opens, the caller disposes of, also
 *   after an error
 */

/**
 * Makes an empty database to replay the migrations in. It is dropped with the adapter's `dispose`.
 * @param {ShadowOptions} options
 * @returns {Promise<SqlDriverAdapter>}
 */
export async function createShadowDatabase({ main, mainIdentity, open }) {
  const target = await createBeside(main);
  const drop = () => dropBeside(main, String(target.config.database));
  const { adapter, identity } = await open(target).catch(async (error) => {
    await drop();
    throw error;
  });
  const { dispose } = adapter;
  adapter.dispose = async () => {
    await dispose();
    await drop();
  };
  refuseMain(identity, mainIdentity);
  return adapter;
}

/**
 * Takes the database that `shadowDatabaseUrl` names instead, and empties it.
 * @param {ShadowOptions} options
 * @param {string} url
 * @returns {Promise<SqlDriverAdapter>}
 */
export async function useShadowDatabase({ mainIdentity, open }, url) {
  const target = parseTarget(url);
  const { adapter, identity } = await open(target);
  refuseMain(identity, mainIdentity);
  const schema = pg.escapeIdentifier(target.schema);
  await adapter.executeScript(`DROP SCHEMA IF EXISTS ${schema} CASCADE; CREATE SCHEMA ${schema}`);
  return adapter;
}

/**
 * @param {Target} main
 * @returns {Promise<Target>}
 */
async function createBeside(main) {
  const database = `prisma_migrate_shadow_db_${randomUUID()}`;
  try {
    await withClient(main, (client) => client.query(`CREATE DATABASE ${pg.escapeIdentifier(database)}`));
  } catch (error) {
    const remedy = 'Please make sure the database user has permission to create databases.';
    const more = 'Read more about the shadow database (and workarounds) at https://pris.ly/d/migrate-shadow';
    const original = `Original error: \n${/** @type {Error} */ (error).message}`;
    throw new EngineError(
      'P3014',
      `Prisma Migrate could not create the shadow database. ${remedy} ${more}\n\n${original}`,
      error,
    );
  }
  return { ...main, config: { ...main.config, database } };
}

/**
 * @param {Target} main
 * @param {string} database
 */
async function dropBeside(main, database) {
  // By force, since a pooler may hold connections to it that nobody uses.
  await withClient(main, (client) =>
    client.query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(database)} WITH (FORCE)`),
  );
}

/**
 * Whatever the addresses say: replaying the migrations in the main database, or emptying it, would
 * cost its data.
 * @param {string} identity
 * @param {string} mainIdentity
 */
function refuseMain(identity, mainIdentity) {
  if (identity !== mainIdentity) return;
  const text = 'The shadow database you configured appears to be the same as the main database.';
  throw new EngineError(undefined, `${text} Please specify another shadow database.`);
}
