import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { AuthConfig } from '../config/config.ts';
import { findProjectRoot } from '../embedded/project-root.mjs';
import { OperatorError, StateError } from '../errors.ts';

const SECRET_BYTES = 32;

/**
 * The secret that tokens are signed and verified with, by the service and by the commands alike:
 * AUTH_SECRET, or in development one that is made at the first need.
 * @throws OperatorError where tokens come from an identity provider, and in production without
 *   AUTH_SECRET
 */
export function signingSecret(auth: AuthConfig, production: boolean): string {
  if (auth.jwksUrl)
    throw new OperatorError(
      'Tokens come from the identity provider while AUTH_JWKS_URL is set; they cannot be issued here.',
      'Ask the identity provider for a token, or unset AUTH_JWKS_URL and set AUTH_SECRET.',
    );
  if (auth.secret) return auth.secret;
  if (production)
    throw new OperatorError(
      'AUTH_SECRET is not set; production does not use the development secret.',
      'Set AUTH_SECRET, for example to the output of: openssl rand -base64 48',
    );
  return developmentSecret(path.join(findProjectRoot(), '.tenantry', 'auth-secret'));
}

/**
 * Reads the secret of this clone, or makes it. Processes that make it at once get the same: the
 * first to put its file in place wins, and the file is whole before it has its name.
 */
export function developmentSecret(file: string): string {
  try {
    return readSecret(file) ?? makeSecret(file);
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause;
    throw new StateError(
      `The development secret ${file} can be neither read nor made: ${(cause as Error).message}`,
      'Set AUTH_SECRET, or let this user read and write that file and its folder.',
      { cause },
    );
  }
}

function makeSecret(file: string): string {
  mkdirSync(path.dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}-${randomBytes(4).toString('hex')}`;
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  try {
    writeFileSync(draft, `${secret}\n`, { mode: 0o600, flag: 'wx' });
    linkSync(draft, file);
    return secret;
  } catch (error) {
    const winner = isErrno(error, 'EEXIST') ? readSecret(file) : undefined;
    if (winner) return winner;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** @returns undefined when there is no such file */
function readSecret(file: string): string | undefined {
  try {
    const secret = readFileSync(file, 'utf8').trim();
    if (Buffer.byteLength(secret) >= SECRET_BYTES) return secret;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  throw new StateError(
    `The development secret ${file} is shorter than ${SECRET_BYTES} bytes.`,
    'Remove the file: a new one is made, and tokens issued with it no longer hold.',
  );
}

function isErrno(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException).code === code;
}
