import type pg from 'pg';
import { UnavailableError } from '../errors.ts';
import { settingOf } from '../setting.mjs';
import { missingPassword } from './missing-password.mjs';

/** No database of that name. */
export const NO_SUCH_DATABASE = '3D000';
/** A wrong password, and an entry of pg_hba.conf that refuses. */
const REFUSED_LOGIN = /^28(?:P01|000)$/;
const TLS = /\b(?:SSL|TLS)\b|certificate/i;

/**
 * Says why a connection could not be opened, to whom and as whom, and what helps; never the
 * password.
 * @param client what could not be connected
 * @param setting that gives its URL
 */
export function connectionError(client: pg.Client, setting: string, cause: unknown): UnavailableError {
  const { host, port, database, user } = client;
  const { code, message } = firstCause(cause);
  const { reason, remedy } = missingPassword(client, setting, { code, message }) ?? {
    reason: message || code,
    remedy: remedyOf(code, message, setting),
  };
  return new UnavailableError(
    `The database ${database} at ${host}:${port} cannot be reached as ${user}: ${sentence(reason)}`,
    remedy,
    { cause },
  );
}

/** A name with several addresses fails with one error for each. */
export function firstCause(cause: unknown): { code: string; message: string } {
  const error = cause instanceof AggregateError ? cause.errors[0] : cause;
  const message = error instanceof Error ? error.message : String(error);
  return { code: String((error as { code?: unknown } | undefined)?.code ?? ''), message };
}

function remedyOf(code: string, message: string, setting: string): string {
  if (REFUSED_LOGIN.test(code)) return `Check the user and the password in ${setting}.`;
  if (code === NO_SUCH_DATABASE)
    return `Create it and its tables: npm run db:migrate, or check that ${setting} is right.`;
  if (TLS.test(message)) return `Check sslmode and sslrootcert in ${setting}, as docs/postgres.md says.`;
  const isEmbeddedPossible = setting === 'DATABASE_URL' && settingOf(process.env, 'NODE_ENV') !== 'production';
  const orElse = isEmbeddedPossible ? `; unset ${setting} to use the embedded PostgreSQL` : '';
  return `Check that PostgreSQL runs there and that ${setting} is right${orElse}.`;
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
