import { EventEmitter } from 'node:events';
import pg from 'pg';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { closeAll, closeAllAfter } from '../../src/close-all.ts';
import { readConfig } from '../../src/config/config.ts';
import { serve } from '../../src/startup/serve.ts';
import type { Channel } from '../../src/startup/share-metrics.ts';
import { runWorker } from '../../src/startup/worker.ts';
import type { FromWorker } from '../../src/startup/worker-messages.ts';
import { findFreePort } from '../support/free-port.ts';
import { createMainDatabase, MAIN_SECRET } from '../support/main-process.ts';
import { adminDatabaseUrl, type TestDatabase, withClient } from '../support/postgres.ts';

const fails = (message: string) => () => {
  throw new Error(message);
};

test('every step is taken in turn, and the first error thrown', async () => {
  const taken: string[] = [];
  const step = (name: string) => async () => void taken.push(name);
  const all = closeAll(step('a'), fails('first'), step('b'), () => Promise.reject(new Error('second')), step('c'));
  await expect(all).rejects.toThrow('first');
  await expect(closeAllAfter(new Error('before'), fails('later'), step('d'))).rejects.toThrow('before');
  await closeAll(step('e'));
  expect(taken).toEqual(['a', 'b', 'c', 'd', 'e']);
});

describe('a service of which one part cannot be closed', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createMainDatabase();
  });
  afterAll(() => database?.drop());
  afterEach(() => vi.restoreAllMocks());

  const config = async () =>
    readConfig({
      AUTH_SECRET: MAIN_SECRET,
      DATABASE_URL: database.url,
      PORT: String(await findFreePort()),
      HOST: '127.0.0.1',
    });

  const logger = () => {
    const lines: string[] = [];
    return { lines, logger: pino({ level: 'error' }, { write: (line: string) => void lines.push(line) }) };
  };

  /** The first pool that ends is that of the health checks. */
  function breakFirstPool(): void {
    const end = pg.Pool.prototype.end as () => Promise<void>;
    vi.spyOn(pg.Pool.prototype, 'end').mockImplementationOnce(async function (this: pg.Pool) {
      await end.call(this);
      throw new Error('the pool broke');
    });
  }

  const connections = () =>
    withClient(adminDatabaseUrl(), async (client) => {
      const { rows } = await client.query('SELECT FROM pg_stat_activity WHERE datname = $1', [database.name]);
      return rows.length;
    });

  test('closes all else, and tells', async () => {
    const service = await serve(await config(), logger().logger, () => {});
    expect(await connections()).toBeGreaterThan(0);
    breakFirstPool();
    await expect(service.close()).rejects.toThrow('the pool broke');
    await expect.poll(connections).toBe(0);
  });

  test('does not say as a worker that it could not start', async () => {
    const told: FromWorker[] = [];
    const events = new EventEmitter();
    const channel: Channel = {
      on: (event, hear) => events.on(event, hear),
      send(message, _handle, _options, sent) {
        told.push(message);
        if (message.kind === 'ready') {
          breakFirstPool();
          setImmediate(() => events.emit('message', { kind: 'stop' }));
        }
        sent(null);
      },
    };
    const { logger: log, lines } = logger();
    expect(await runWorker(await config(), log, { next: () => new Promise(() => {}) }, channel)).toBe(1);
    expect(told.map(({ kind }) => kind)).toEqual(['starting', 'ready']);
    expect(lines.join()).toContain('could not close all that it had opened');
    await expect.poll(connections).toBe(0);
  });
});
