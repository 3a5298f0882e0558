import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum, DriverAdapterError } from '@prisma/driver-adapter-utils';
import pg from 'pg';

import { useSchema } from './connection.mjs';
import { connectionError } from './errors.mjs';

/** @typedef {import('@prisma/driver-adapter-utils').SqlDriverAdapter} SqlDriverAdapter */
/** @typedef {import('./connection.mjs').Target} Target */
/** @typedef {import('./errors.mjs').DatabaseError} DatabaseError */
/** @typedef {import('./errors.mjs').ScriptFailure} ScriptFailure */

/**
 * One connection to one database, in the form the WebAssembly engine speaks to.
 * @typedef {object} Opened
 * @property {SqlDriverAdapter} adapter
 * @property {string} identity equal for two connections exactly when both are to the same database
 */

/** The catalog's "char", which the adapter does not know, and text, which it does. */
const INTERNAL_CHAR_OID = 18;
const TEXT_OID = 25;

/**
 * How PostgreSQL writes values, as the adapter reads them, whatever the database or the role has
 * set. Literals in migrations are read as before: of DateStyle the order of day and month stays.
 */
const SET_OUTPUT_FORMATS = [
  "SET DateStyle = 'ISO'",
  "SET IntervalStyle = 'postgres'",
  "SET bytea_output = 'hex'",
  'SET extra_float_digits = 1',
  'SET quote_all_identifiers = off',
].join('; ');

/** The start time in seconds, since as text it would depend on the connection's time zone. */
const IDENTITY = "SELECT current_database() || ' ' || extract(epoch FROM pg_postmaster_start_time()) AS identity";

/**
 * @param {Target} target
 * @param {(failure: ScriptFailure) => void} onScriptFailure
 * @returns {Promise<Opened>}
 * @throws {import('./errors.mjs').EngineError} when the database cannot be reached
 */
export async function openAdapter(target, onScriptFailure) {
  const pool = new EnginePool(target);
  const adapter = await new PrismaPg(pool, { schema: target.schema, disposeExternalPool: true }).connect();
  try {
    const { rows } = await pool.query(IDENTITY);
    return { adapter: adjust(adapter, pool, onScriptFailure), identity: rows[0].identity };
  } catch (error) {
    await pool.close();
    throw connectionError(/** @type {DatabaseError} */ (error), target);
  }
}

/** A pool of exactly one connection, since advisory locks and settings belong to a connection. */
class EnginePool extends pg.Pool {
  /**
   * Columns of the last result that are "char".
   * @type {number[]}
   */
  charColumns = [];
  /** @type {import('pg').Client | undefined} */
  #client;

  /** @param {Target} target */
  constructor({ config, schema }) {
    super({ ...config, max: 1, idleTimeoutMillis: 0, onConnect: (client) => this.#prepare(client, schema) });
  }

  /** Also when a statement still runs, or waits for a lock. */
  async close() {
    await this.#client?.end();
    await this.end();
  }

  /**
   * @param {import('pg').ClientBase} base
   * @param {string} schema
   */
  async #prepare(base, schema) {
    const client = /** @type {import('pg').Client} */ (base);
    this.#client = client;
    client.connection.prependListener('rowDescription', ({ fields }) => this.#showCharAsText(fields));
    await useSchema(client, schema);
    await client.query(SET_OUTPUT_FORMATS);
  }

  /** @param {import('pg').FieldDef[]} fields */
  #showCharAsText(fields) {
    this.charColumns = fields.flatMap((field, index) => (field.dataTypeID === INTERNAL_CHAR_OID ? [index] : []));
    for (const index of this.charColumns) Object.assign(fields[index] ?? {}, { dataTypeID: TEXT_OID });
  }
}

/**
 * @param {import('@prisma/driver-adapter-utils').SqlDriverAdapter} adapter
 * @param {EnginePool} pool
 * @param {(failure: ScriptFailure) => void} onScriptFailure
 * @returns {SqlDriverAdapter}
 */
function adjust(adapter, pool, onScriptFailure) {
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.queryRaw = async (query) => {
    pool.charColumns = [];
    const result = await queryRaw(query);
    for (const index of pool.charColumns) result.columnTypes[index] = ColumnTypeEnum.Character;
    return result;
  };
  // The adapter's own cuts at every semicolon, function bodies included. One simple query keeps a
  // script whole, and lets PostgreSQL roll all of it back when a statement fails.
  adapter.executeScript = async (script) => {
    try {
      await pool.query(script);
    } catch (error) {
      onScriptFailure({ error: /** @type {DatabaseError} */ (error), script });
      throw driverError(/** @type {DatabaseError} */ (error));
    }
  };
  adapter.dispose = () => pool.close();
  return adapter;
}

/** @param {DatabaseError & { column?: string }} error */
function driverError({ code = 'N/A', severity = 'ERROR', message, detail, column, hint }) {
  return new DriverAdapterError({ kind: 'postgres', code, severity, message, detail, column, hint });
}
