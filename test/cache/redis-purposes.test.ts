import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { FastRedis, RedisLeftAlone } from '../../src/cache/redis/redis.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../support/redis.ts';

describeWithOwnRedis('a Redis that takes no writes, since its memory is full', () => {
  let server: TestRedis;
  let admin: Redis;
  let redis: FastRedis;
  beforeAll(async () => {
    server = await startRedis();
    admin = new Redis(server.url);
    redis = new FastRedis(server.url, () => {});
    await vi.waitFor(() => redis.run((client) => client.ping()), { timeout: 30_000 });
    await admin.set('kept', 'before');
    await admin.config('SET', 'maxmemory', '1');
  });
  afterAll(async () => {
    await redis.close();
    admin.disconnect();
    await server.stop();
  });

  const fill = () => redis.run((client) => client.set('filled', 'x'), 'fill');
  const bump = () => redis.run((client) => client.incr('bumped'), 'bump');

  it('is not filled any more after the first refusal, and tried again later', async () => {
    await expect(fill()).rejects.toThrow(/OOM/);
    await expect(fill()).rejects.toThrow(RedisLeftAlone);
    await expect.poll(async () => String(await fill().catch((error: unknown) => error))).toMatch(/OOM/);
  });

  it('is left alone by bumps only after three of them', async () => {
    for (let attempt = 1; attempt <= 3; attempt++) await expect(bump()).rejects.toThrow(/OOM/);
    await expect(bump()).rejects.toThrow(RedisLeftAlone);
  });

  it('is read all the while', async () => {
    await expect(redis.run((client) => client.get('kept'))).resolves.toBe('before');
  });

  it('is filled and bumped again when it has memory', async () => {
    await admin.config('SET', 'maxmemory', '0');
    await expect.poll(() => fill().catch(String)).toBe('OK');
    await expect.poll(() => bump().catch(String)).toBe(1);
  });
});
