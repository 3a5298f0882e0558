import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readConfig } from '../src/config/config.ts';
import { makeTempFolder } from './support/temp-folder.ts';

const SECRET = 'a secret for tests only, of more than 32 bytes';
const PRODUCTION = { NODE_ENV: 'production', DATABASE_URL: 'postgresql://db/app', AUTH_SECRET: SECRET };

function file(text: string): string {
  const place = path.join(makeTempFolder(), 'setting');
  writeFileSync(place, text);
  return place;
}

describe('a setting in a file', () => {
  test.each(['DATABASE_URL', 'REDIS_URL', 'AUTH_SECRET', 'PORT'])('%s is what the file holds', (name) => {
    const value = { DATABASE_URL: 'postgresql://db/app', REDIS_URL: 'redis://cache', AUTH_SECRET: SECRET, PORT: '7' }[
      name
    ];
    const { database, redisUrl, auth, port } = readConfig({ [`${name}_FILE`]: file(`${value}\n`) });
    expect([database.url, redisUrl, auth.secret, String(port)]).toContain(value);
  });

  test('is refused beside the setting itself, and both are named', () => {
    const read = () => readConfig({ AUTH_SECRET: SECRET, AUTH_SECRET_FILE: file('another') });
    expect(read).toThrow(
      /^AUTH_SECRET and AUTH_SECRET_FILE are both set, but only one of them may be \(unset the other\)$/,
    );
  });

  test('is refused when there is no such file, or nothing in it', () => {
    expect(() => readConfig({ REDIS_URL_FILE: '/nowhere/url' })).toThrow(
      'REDIS_URL_FILE must name a file that holds the value, but got: /nowhere/url, which cannot be read (ENOENT)',
    );
    expect(() => readConfig({ AUTH_SECRET_FILE: file(' \n') })).toThrow(/^AUTH_SECRET_FILE must .*, which is empty$/);
  });
});

describe('a setting that cannot be read', () => {
  const IDENTITY_PROVIDER = { AUTH_JWKS_URL: 'https://id/keys', AUTH_ISSUER: 'id', AUTH_AUDIENCE: 'tenantry' };
  const RIGHT: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'a secret': { ...PRODUCTION, AUTH_SECRET_PREVIOUS: SECRET, REDIS_URL: 'redis://cache', WORKERS: '2' },
    'an identity provider': { NODE_ENV: 'production', DATABASE_URL: 'postgresql://db/app', ...IDENTITY_PROVIDER },
    'its own shutdown': { ...PRODUCTION, SHUTDOWN_DELAY_MS: '30000', SHUTDOWN_TIMEOUT_MS: '60000' },
  };
  const GIVEN: Readonly<Record<string, () => string>> = {
    'that is not there': () => '/nowhere/setting',
    'that is empty': () => file(''),
    'that is a folder': () => makeTempFolder(),
  };

  /** Of all that are read. */
  function settings(): string[] {
    const read = new Set<string>();
    readConfig(new Proxy({}, { get: (_, name) => void read.add(String(name)) }) as NodeJS.ProcessEnv);
    return [...read].filter((name) => !name.endsWith('_FILE'));
  }

  const messageOf = (env: NodeJS.ProcessEnv) => {
    try {
      readConfig(env);
      return 'nothing';
    } catch (error) {
      return (error as Error).message;
    }
  };

  test.each(Object.keys(RIGHT))('is told once, and nothing that follows from it, with %s', (kind) => {
    const right = RIGHT[kind] as NodeJS.ProcessEnv;
    expect(messageOf(right)).toBe('nothing');
    const names = settings();
    expect(names).toEqual(expect.arrayContaining(Object.keys(right)));
    for (const name of names) {
      for (const make of Object.values(GIVEN))
        expect(messageOf({ ...right, [name]: undefined, [`${name}_FILE`]: make() })).toMatch(
          new RegExp(`^${name}_FILE must name a file that holds the value, but got: .*$`),
        );
      expect(messageOf({ ...right, [name]: '1', [`${name}_FILE`]: file('1') })).toMatch(
        new RegExp(`^${name} and ${name}_FILE are both set.*$`),
      );
    }
  });

  test('has no value that another could contradict', () => {
    expect(messageOf({ SHUTDOWN_DELAY_MS: '30000', SHUTDOWN_TIMEOUT_MS: 'soon' })).toMatch(/^SHUTDOWN_TIMEOUT_MS .*$/);
    expect(messageOf({ ...PRODUCTION, AUTH_SECRET: '', AUTH_SECRET_FILE: '' })).toMatch(
      /^AUTH_JWKS_URL must be set.*$/,
    );
  });
});

describe('a secret that is too short', () => {
  test('is to be made anew', () => {
    expect(() => readConfig({ ...PRODUCTION, AUTH_SECRET: 'x' })).toThrow(
      /^AUTH_SECRET must be at least 32 bytes, but got: 1 byte \(for example the output of: openssl rand -base64 48\)$/,
    );
  });

  test('is to be given whole when it is the former one, which no new one can be', () => {
    expect(() => readConfig({ ...PRODUCTION, AUTH_SECRET_PREVIOUS: 'xy' })).toThrow(
      /^AUTH_SECRET_PREVIOUS must be at least 32 bytes, but got: 2 bytes \(unset it, or give the whole of the former AUTH_SECRET\)$/,
    );
  });
});

describe('workers', () => {
  test('are one, a number, or as many as there are cores', () => {
    const workers = (env: NodeJS.ProcessEnv) => readConfig({ REDIS_URL: 'redis://cache', ...env }).lifecycle.workers;
    expect(workers({})).toBe(1);
    expect(workers({ WORKERS: '3' })).toBe(3);
    expect(workers({ WORKERS: 'auto' })).toBe(availableParallelism());
    expect(() => workers({ WORKERS: 'all' })).toThrow(
      'WORKERS must be a whole number between 1 and 256, or auto, but got: all (unset it for the default, 1)',
    );
  });

  test('keep nothing without a Redis, where one would not learn at once of the writes of another', () => {
    expect(readConfig({ WORKERS: '2' }).cache.enabled).toBe(false);
    expect(readConfig({ WORKERS: '1' }).cache.enabled).toBe(true);
    expect(readConfig({ WORKERS: '2', REDIS_URL: 'redis://cache' }).cache.enabled).toBe(true);
    expect(() => readConfig({ ...PRODUCTION, WORKERS: '2' })).toThrow(
      /^REDIS_URL must be set when WORKERS is more than 1/,
    );
    expect(readConfig({ ...PRODUCTION, WORKERS: '2', CACHE: 'off' }).cache.enabled).toBe(false);
  });
});

test('a shutdown that could finish nothing is refused', () => {
  expect(readConfig(PRODUCTION).lifecycle).toMatchObject({ shutdownDelayMs: 5_000, shutdownTimeoutMs: 25_000 });
  expect(readConfig({}).lifecycle).toMatchObject({ shutdownDelayMs: 0, startupTimeoutMs: 0 });
  expect(() => readConfig({ SHUTDOWN_DELAY_MS: '30000' })).toThrow(
    'SHUTDOWN_DELAY_MS must be less than SHUTDOWN_TIMEOUT_MS (25000)',
  );
});

describe('a port for metrics', () => {
  test('is none by default, and a number', () => {
    expect(readConfig({}).metricsPort).toBeUndefined();
    expect(readConfig({ METRICS_PORT: '9464' }).metricsPort).toBe(9464);
    expect(() => readConfig({ METRICS_PORT: '0' })).toThrow(
      'METRICS_PORT must be a whole number between 1 and 65535, but got: 0 (or unset it)',
    );
  });

  test('is another one than that of the service', () => {
    expect(() => readConfig({ METRICS_PORT: '4000' })).toThrow(
      'METRICS_PORT must be another port than PORT (4000), but got: 4000 (unset it to have /metrics there, too)',
    );
  });
});
