import { readFile } from 'node:fs/promises';

import { EngineError } from './errors.mjs';

/**
 * @typedef {object} WasmEngine
 * @property {typeof import('@prisma/schema-engine-wasm').SchemaEngine} SchemaEngine
 * @property {Promise<never>} panic rejects when the engine panics
 */

const MODULE = '@prisma/schema-engine-wasm/schema_engine_bg';

/** @type {Promise<WasmEngine> | undefined} */
let loaded;

/**
 * The WebAssembly build of Prisma's schema engine; one in a process, since it keeps a state of its
 * own.
 * @returns {Promise<WasmEngine>}
 * @throws {EngineError} when it panicked before: then nothing of it may be called again
 */
export async function loadWasmEngine() {
  loaded ??= load();
  const engine = await loaded;
  return Promise.race([engine.panic, engine]);
}

async function load() {
  const panic = watchPanics();
  const glue = await import('@prisma/schema-engine-wasm/schema_engine_bg');
  const bytes = await readFile(new URL('./schema_engine_bg.wasm', import.meta.resolve(MODULE)));
  const { instance } = await WebAssembly.instantiate(bytes, { './schema_engine_bg.js': { ...glue } });
  glue.__wbg_set_wasm(instance.exports);
  /** @type {() => void} */ (instance.exports.__wbindgen_start)();
  return { SchemaEngine: glue.SchemaEngine, panic };
}

/**
 * A panic is told to this registry and to nobody else: the calls under way stay pending for ever.
 * @returns {Promise<never>}
 */
function watchPanics() {
  /** @type {Promise<never>} */
  const panic = new Promise((_, reject) => {
    /** @param {string} reason */
    const set_message = (reason) => reject(new EngineError(undefined, `Error in Schema engine.\nReason: ${reason}`));
    Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message } });
  });
  // Between two calls nobody waits for it.
  panic.catch(() => {});
  return panic;
}
