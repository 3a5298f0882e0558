import { introspectSql } from './typed-sql.mjs';

/** @typedef {import('@prisma/schema-engine-wasm').CreateMigrationInput} CreateMigrationInput */
/** @typedef {import('@prisma/schema-engine-wasm').DevDiagnosticInput} DevDiagnosticInput */
/** @typedef {import('@prisma/schema-engine-wasm').DiffParams} DiffParams */
/** @typedef {import('@prisma/schema-engine-wasm').DiffTarget} DiffTarget */
/** @typedef {import('@prisma/schema-engine-wasm').EvaluateDataLossInput} EvaluateDataLossInput */
/** @typedef {import('@prisma/schema-engine-wasm').IntrospectSqlParams} IntrospectSqlParams */
/** @typedef {import('@prisma/schema-engine-wasm').SchemaContainer} SchemaContainer */
/** @typedef {import('@prisma/schema-engine-wasm').SchemaEngine} SchemaEngine */
/** @typedef {import('@prisma/schema-engine-wasm').SchemaPushInput} SchemaPushInput */
/** @typedef {import('./session.mjs').Session} Session */

/** @typedef {(params: unknown) => Promise<unknown>} Method */

/** Those that the WebAssembly engine answers as they are. */
const PASSED_ON = /** @type {const} */ ([
  'applyMigrations',
  'dbExecute',
  'diagnoseMigrationHistory',
  'introspect',
  'markMigrationApplied',
  'markMigrationRolledBack',
  'reset',
]);
const NO_FILTERS = { externalTables: [], externalEnums: [] };

/**
 * The JSON-RPC methods of a schema engine that Prisma's command line calls. What each takes and gives stands in the types of the
 * WebAssembly engine.
 * @param {Session} session
 * @param {(text: string) => void} print shows text to the person at the terminal
 * @returns {Map<string, Method>}
 */
export function createMethods(session, print) {
  const own = {
    createMigration: (/** @type {CreateMigrationInput} */ params) =>
      withMigrationsSchema(session, params, (engine) => engine.createMigration(params)),
    debugPanic: () => session.withEngine(async (engine) => engine.debugPanic()),
    devDiagnostic: (/** @type {DevDiagnosticInput} */ params) =>
      withPreviewFeatures(session, session.datamodels, (engine) => engine.devDiagnostic(params)),
    diff: (/** @type {DiffParams} */ params) => diff(session, params, print),
    evaluateDataLoss: (/** @type {EvaluateDataLossInput} */ params) =>
      withMigrationsSchema(session, params, (engine) => engine.evaluateDataLoss(params)),
    getDatabaseVersion: () => session.withEngine((engine) => engine.version()),
    introspectSql: (/** @type {IntrospectSqlParams} */ { queries }) => introspectSql(session.target, queries),
    schemaPush: (/** @type {SchemaPushInput} */ params) =>
      withPreviewFeatures(session, params.schema.files, (engine) => engine.schemaPush(params)),
  };
  const passedOn = PASSED_ON.map((name) => /** @type {const} */ ([name, passOn(session, name)]));
  return new Map([...passedOn, .../** @type {[string, Method][]} */ (Object.entries(own))]);
}

/**
 * @param {Session} session
 * @param {(typeof PASSED_ON)[number]} name
 * @returns {Method}
 */
function passOn(session, name) {
  return (params) => session.withEngine((engine) => /** @type {Method} */ (engine[name]).call(engine, params));
}

/**
 * The engine takes its preview features from nothing but a diff from the database. Without, it does
 * not see that an index is partial, and wants to make it anew each time.
 * @template T
 * @param {Session} session
 * @param {SchemaContainer[]} files
 * @param {(engine: SchemaEngine) => Promise<T>} work
 */
function withPreviewFeatures(session, files, work) {
  return session.withEngine(async (engine) => {
    const from = /** @type {const} */ ({ tag: 'schemaDatasource', files, configDir: process.cwd() });
    if (files.length > 0) {
      await engine.diff({ from, to: { tag: 'empty' }, script: false, exitCode: null, filters: NO_FILTERS });
    }
    return work(engine);
  });
}

/**
 * In the WebAssembly build, what compares the schema with the migrations cannot replay these in a
 * shadow database. It finds the outcome where `devDiagnostic`, which can, has left it: in the same
 * engine.
 * @template T
 * @param {Session} session
 * @param {CreateMigrationInput | EvaluateDataLossInput} params
 * @param {(engine: SchemaEngine) => Promise<T>} work
 */
function withMigrationsSchema(session, { migrationsList, filters, schema }, work) {
  return withPreviewFeatures(session, schema.files, async (engine) => {
    await engine.devDiagnostic({ migrationsList, filters });
    return work(engine);
  });
}

/**
 * @param {Session} session
 * @param {DiffParams} params
 * @param {(text: string) => void} print
 */
async function diff(session, params, print) {
  const offline = [params.from, params.to].every(({ tag }) => tag === 'empty' || tag === 'schemaDatamodel');
  const { exitCode, stdout } = await session.withEngine((engine) => engine.diff(params), { offline });
  if (stdout) print(stdout.replace(/\n$/, ''));
  return { exitCode, stdout: null };
}
