// Started by the tests: acquires the embedded server in the folder given, or in the clone's own,
// says what came of it, and obeys.
import { acquireEmbeddedPostgres } from '../../../src/embedded/index.mjs';

const [directory] = process.argv.slice(2);
/** @type {string[]} */
const log = [];
const options = { ...(directory ? { directory } : {}), settings: { fsync: 'off' } };

process.on('disconnect', () => process.exit(1));
try {
  const server = await acquireEmbeddedPostgres({ ...options, log: (line) => log.push(line) });
  process.on('message', async (order) => {
    if (order === 'exit') process.exit(0);
    await server.release();
    process.disconnect();
  });
  process.send?.({ url: server.url, log });
} catch (error) {
  process.send?.({ error: String(error), log });
}
