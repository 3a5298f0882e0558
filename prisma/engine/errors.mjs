/** @typedef {import('./connection.mjs').Target} Target */

/**
 * An error in Prisma's own words: with its code, `P1001` as an example, where Prisma has one for
 * it.
 */
export class EngineError extends Error {
  /** @override */
  name = 'EngineError';

  /**
   * @param {string | undefined} code
   * @param {string} message
   * @param {unknown} [cause]
   */
  constructor(code, message, cause) {
    super(message, { cause });
    this.code = code;
  }
}

/**
 * What PostgreSQL, or the way to it, refused.
 * @typedef {Error & { code?: string; severity?: string; detail?: string; hint?: string; position?:
 *   string }} DatabaseError
 */

/**
 * A script that failed.
 * @typedef {object} ScriptFailure
 * @property {DatabaseError} error
 * @property {string} script
 */

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
  'EACCES',
]);
/** node-postgres gives these no code. */
const CONNECT_TIMEOUT = /timeout expired|timeout exceeded when trying to connect|due to connection timeout/;
const CONNECTION_LOST = /Connection terminated|ECONNRESET|EPIPE/;
const TLS = /SSL|TLS|certificate|CERT_|altnames/i;
const EXCERPT_LINES = 5;
/**
 * The WebAssembly engine tells its caller less than the native one does, but names the migration in
 * its trace.
 */
const APPLIED_MIGRATION = /apply_migrations::Applying migration\s+with migration_name="([^"]+)"/;
const REPLAYED_MIGRATION = /^Migration `([^`]+)` failed to apply cleanly to the shadow database/;

/**
 * Says a failed connection as Prisma's native engine does.
 * @param {DatabaseError} error
 * @param {Target} target
 * @returns {EngineError}
 */
export function connectionError(error, { config, place }) {
  const { user, database } = config;
  if (UNREACHABLE.has(error.code ?? '') || CONNECT_TIMEOUT.test(error.message)) {
    const remedy = `Please make sure your database server is running at \`${place}\`.`;
    return new EngineError('P1001', `Can't reach database server at \`${place}\`\n\n${remedy}`, error);
  }
  switch (error.code) {
    case '28P01':
      return new EngineError(
        'P1000',
        `Authentication failed against database server at \`${config.host}\`, the provided database credentials for \`${user}\` are not valid.\n\n` +
          `Please make sure to provide valid database credentials for the database server at \`${config.host}\`.`,
        error,
      );
    case '3D000':
      return new EngineError(
        'P1003',
        `Database \`${database}\` does not exist on the database server at \`${place}\`.`,
        error,
      );
    case '42P04':
      return new EngineError(
        'P1009',
        `Database \`${database}\` already exists on the database server at \`${place}\``,
        error,
      );
    case '28000':
    case '42501':
      return new EngineError(
        'P1010',
        `User \`${user}\` was denied access on the database \`${database}\`: ${error.message}`,
        error,
      );
  }
  if (CONNECTION_LOST.test(error.message)) return new EngineError('P1017', 'Server has closed the connection.', error);
  if (TLS.test(`${error.code} ${error.message}`)) {
    return new EngineError('P1011', `Error opening a TLS connection: ${error.message}`, error);
  }
  return new EngineError(undefined, error.message, error);
}

/**
 * Says anything that went wrong during a request.
 * @param {unknown} error what the request failed with
 * @param {ScriptFailure | undefined} failure the script of the request that failed, if one did
 * @returns {EngineError}
 */
export function requestError(error, failure) {
  if (error instanceof EngineError) return error;
  const { message, code } = /** @type {DatabaseError} */ (error);
  if (failure) {
    const replayed = code === 'P3006' ? REPLAYED_MIGRATION.exec(message)?.[1] : undefined;
    if (replayed) return replayError(replayed, failure);
    const applied = code ? undefined : APPLIED_MIGRATION.exec(message)?.[1];
    if (applied) return applyError(applied, failure);
  }
  return new EngineError(code, message, error);
}

/**
 * @param {string} migration
 * @param {ScriptFailure} failure
 */
function applyError(migration, failure) {
  const text =
    'A migration failed to apply. New migrations cannot be applied before the error is recovered from. ' +
    'Read more about how to resolve migration issues in a production database: https://pris.ly/d/migrate-resolve\n\n' +
    `Migration name: ${migration}\n\nDatabase error code: ${failure.error.code ?? 'none'}\n\n` +
    `Database error:\n${databaseErrorText(failure)}\n`;
  return new EngineError('P3018', text, failure.error);
}

/**
 * @param {string} migration
 * @param {ScriptFailure} failure
 */
function replayError(migration, failure) {
  const text = `Migration \`${migration}\` failed to apply cleanly to the shadow database.\n`;
  const code = failure.error.code ? `Error code: ${failure.error.code}\n` : '';
  return new EngineError('P3006', `${text}${code}Error:\n${databaseErrorText(failure)}`, failure.error);
}

/** @param {ScriptFailure} failure */
function databaseErrorText({ error, script }) {
  const { severity = 'ERROR', message, detail, hint, position } = error;
  const lines = [`${severity}: ${message}`, detail && `DETAIL: ${detail}`, hint && `HINT: ${hint}`];
  return `${lines.filter(Boolean).join('\n')}${excerpt(script, Number(position))}`;
}

/**
 * The script's lines up to where PostgreSQL found the error.
 * @param {string} script
 * @param {number} position counted from one, in characters; NaN when PostgreSQL did not say
 */
function excerpt(script, position) {
  if (Number.isNaN(position)) return '';
  const lines = [...script].slice(0, position).join('').split('\n');
  lines[lines.length - 1] = script.split('\n')[lines.length - 1] ?? '';
  const first = Math.max(0, lines.length - EXCERPT_LINES);
  const shown = lines.slice(first).map((line, index) => `${String(first + index + 1).padStart(3)} ${line}`);
  return `\n\nPosition:\n${shown.join('\n')}`;
}
