import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { developmentSecret, signingSecret } from '../../src/auth/development-secret.ts';
import type { AuthConfig } from '../../src/config/config.ts';
import { OperatorError } from '../../src/errors.ts';
import { builtFrom } from '../support/built.ts';

const NONE: AuthConfig = { secret: undefined, jwksUrl: undefined, issuer: undefined, audience: undefined };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'tenantry-secret-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const secretFile = () => path.join(folder, '.tenantry', 'auth-secret');

test('makes a secret once, readable to its owner alone', () => {
  const secret = developmentSecret(secretFile());
  expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
  expect(developmentSecret(secretFile())).toBe(secret);
  expect(statSync(secretFile()).mode & 0o777).toBe(0o600);
  expect(readdirSync(path.dirname(secretFile()))).toStrictEqual(['auth-secret']);
});

test('gives processes that make it at once the same secret', async () => {
  const built = await builtFrom('src/auth/development-secret.ts');
  const processes = Array.from({ length: 4 }, () =>
    fork(path.join(import.meta.dirname, 'secret-process.mjs'), [built, secretFile()], { execArgv: [] }),
  );
  const secrets = await Promise.all(
    processes.map(
      (child) =>
        new Promise((resolve, reject) => {
          let secret: unknown;
          child.once('message', (message) => {
            secret = message;
          });
          child.once('exit', (code) => (code === 0 ? resolve(secret) : reject(new Error(`exit ${code}`))));
        }),
    ),
  );
  expect(new Set(secrets)).toStrictEqual(new Set([readFileSync(secretFile(), 'utf8').trim()]));
}, 60_000);

test('refuses a secret file that holds too little, and names it', () => {
  mkdirSync(path.dirname(secretFile()));
  writeFileSync(secretFile(), 'short\n');
  expect(() => developmentSecret(secretFile())).toThrow(OperatorError);
  expect(() => developmentSecret(secretFile())).toThrow(secretFile());
});

test('names the file and the setting when it can neither be read nor made', () => {
  writeFileSync(path.join(folder, '.tenantry'), 'a file where the folder should be');
  expect(() => developmentSecret(secretFile())).toThrow(
    expect.objectContaining({
      message: expect.stringContaining(secretFile()),
      remedy: expect.stringContaining('AUTH_SECRET'),
    }),
  );
});

test('takes AUTH_SECRET where it is set', () => {
  expect(signingSecret({ ...NONE, secret: 'given' }, false)).toBe('given');
  expect(signingSecret({ ...NONE, secret: 'given' }, true)).toBe('given');
});

test('makes no secret in production, nor beside an identity provider', () => {
  expect(() => signingSecret(NONE, true)).toThrow(/AUTH_SECRET is not set/);
  expect(() => signingSecret({ ...NONE, jwksUrl: 'https://id.example/keys' }, false)).toThrow(/identity provider/);
});
