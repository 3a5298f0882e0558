import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';

import { openAdapter } from './adapter.mjs';
import { readDatamodels } from './arguments.mjs';
import { parseTarget } from './connection.mjs';
import { createOfflineAdapter } from './offline-adapter.mjs';
import { createShadowDatabase, useShadowDatabase } from './shadow-database.mjs';
import { loadWasmEngine } from './wasm-engine.mjs';

/** @typedef {import('@prisma/driver-adapter-utils').SqlDriverAdapter} SqlDriverAdapter */
/** @typedef {import('@prisma/schema-engine-wasm').SchemaEngine} SchemaEngine */
/** @typedef {import('./adapter.mjs').Opened} Opened */
/** @typedef {import('./connection.mjs').Target} Target */

/** The databases and engines of one engine process, for one request after another. */
export class Session {
  /** @type {Set<SqlDriverAdapter>} */
  #adapters = new Set();
  /** @type {unknown} */
  #shadowFailure;
  /**
   * The script of the last request that failed.
   * @type {import('./errors.mjs').ScriptFailure | undefined}
   */
  scriptFailure;

  /**
   * @param {import('./arguments.mjs').Datasource} datasource
   * @param {string[]} datamodels paths of the Prisma schema's files
   */
  constructor(datasource, datamodels) {
    this.datasource = datasource;
    this.datamodels = readDatamodels(datamodels);
  }

  /** @returns {Target} */
  get target() {
    return parseTarget(this.datasource.url);
  }

  /**
   * Runs `work` with an engine and connections of its own: nothing of one request is left for the
   * next.
   * @template T
   * @param {(engine: SchemaEngine) => Promise<T>} work
   * @param {object} [options]
   * @param {boolean} [options.offline] the work needs no database; false when absent
   * @returns {Promise<T>}
   */
  async withEngine(work, { offline = false } = {}) {
    this.scriptFailure = undefined;
    this.#shadowFailure = undefined;
    try {
      const { SchemaEngine, panic } = await loadWasmEngine();
      const main = offline ? { adapter: createOfflineAdapter(), identity: 'none' } : await this.#open(this.target);
      const datamodels = this.datamodels.map(({ path, content }) => /** @type {[string, string]} */ ([path, content]));
      const options = { datamodels: datamodels.length > 0 ? datamodels : undefined };
      const running = SchemaEngine.new(options, forwardLog, this.#factory(main)).then(work);
      return await Promise.race([panic, running]);
    } catch (error) {
      throw this.#shadowFailure ?? error;
    } finally {
      await this.close();
    }
  }

  /** Closes every connection, and drops the shadow database if there is one. */
  async close() {
    for (const adapter of [...this.#adapters].reverse()) await adapter.dispose();
  }

  /** @param {Opened} main */
  #factory({ adapter, identity }) {
    return bindMigrationAwareSqlAdapterFactory({
      provider: 'postgres',
      adapterName: adapter.adapterName,
      connect: async () => adapter,
      connectToShadowDb: () => this.#openShadow(identity),
    });
  }

  /** @param {string} mainIdentity */
  async #openShadow(mainIdentity) {
    const { shadowDatabaseUrl } = this.datasource;
    const options = { main: this.target, mainIdentity, open: (/** @type {Target} */ target) => this.#open(target) };
    try {
      return await (shadowDatabaseUrl ? useShadowDatabase(options, shadowDatabaseUrl) : createShadowDatabase(options));
    } catch (error) {
      // On its way through the WebAssembly engine it would lose its message.
      this.#shadowFailure = error;
      throw error;
    }
  }

  /**
   * @param {Target} target
   * @returns {Promise<Opened>}
   */
  async #open(target) {
    const opened = await openAdapter(target, (failure) => {
      this.scriptFailure = failure;
    });
    const { adapter } = opened;
    const { dispose } = adapter;
    adapter.dispose = async () => {
      if (this.#adapters.delete(adapter)) await dispose();
    };
    this.#adapters.add(adapter);
    return opened;
  }
}

/**
 * The engine's own log lines have the form that Prisma reads from stderr.
 * @param {string} line
 */
function forwardLog(line) {
  process.stderr.write(`${line.trim()}\n`);
}
