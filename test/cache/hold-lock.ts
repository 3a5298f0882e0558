import { setTimeout as wait } from 'node:timers/promises';
import { FastRedis } from '../../src/cache/redis/redis.ts';
import { LoadLocks } from '../../src/cache/store/load-lock.ts';

// A process that takes the lock named by its arguments, says so, and holds it until it is killed.
const [url = '', key = ''] = process.argv.slice(2);
const redis = new FastRedis(url, () => {});
while ((await redis.run(() => Promise.resolve(true)).catch(() => false)) === false) await wait(2);
await new LoadLocks(redis, 10_000).turn(
  key,
  async () => undefined,
  () => false,
);
process.send?.('held');
