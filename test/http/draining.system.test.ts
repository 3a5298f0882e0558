import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { createTestDatabase, type TestDatabase, withClient } from '../support/postgres.ts';
import { startService, type TestService } from '../support/service.ts';
import { insertTwins, TWINS, type Twin } from '../support/twin-tenants.ts';

const QUERY = '{ accounts(first: 2) { nodes { id } } }';

let database: TestDatabase;
let service: TestService;
let token: string;
let isClosed: boolean;
beforeEach(async () => {
  database = await createTestDatabase();
  service = await startService({ database, env: { HTTP_REQUEST_TIMEOUT_MS: '300' } });
  await insertTwins(service.databaseUrl);
  await service.untilCaughtUp();
  token = await service.token(Role.VIEWER, (TWINS[0] as Twin).slug);
  isClosed = false;
});
afterEach(async () => {
  await close();
  await database.drop();
});

async function close(): Promise<void> {
  if (!isClosed) await service.close();
  isClosed = true;
}

interface Asked {
  readonly path?: string;
  readonly method?: string;
  readonly query?: string;
  readonly bearer?: string;
}

/** Over a connection that would be kept. */
async function ask({ path = '/graphql', method = 'POST', query = QUERY, bearer = token }: Asked) {
  const agent = new Agent({ keepAlive: true });
  onTestFinished(() => agent.destroy());
  const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
  const asked = request(`${service.url}${path}`, { method, agent, headers });
  asked.end(method === 'POST' ? JSON.stringify({ query }) : undefined);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const { connection, 'cache-status': cacheStatus } = response.headers;
  return { status: response.statusCode, connection, cacheStatus: String(cacheStatus), body: await text(response) };
}

/** With the status of each. */
const KINDS: readonly [asked: Asked, status: number][] = [
  [{}, 200], // from the cache
  [{ query: '{ tenant { name } }' }, 200],
  [{ bearer: 'wrong' }, 401],
  [{ method: 'DELETE' }, 405],
  [{ method: 'GET', path: '/nowhere' }, 404],
  [{ method: 'GET', path: '/metrics' }, 200],
  [{ method: 'GET', path: '/health/live' }, 200],
];

test('when a stop begins readiness says so, all else is answered on, and each answer is the last of its connection', async () => {
  const ready = { method: 'GET', path: '/health/ready' };
  while (!(await ask({})).cacheStatus.includes('; hit'));
  for (const [asked, status] of KINDS) expect(await ask(asked)).toMatchObject({ status, connection: 'keep-alive' });
  expect(await ask(ready)).toMatchObject({ status: 200 });
  service.beginDraining();
  for (const [asked, status] of KINDS) expect(await ask(asked)).toMatchObject({ status, connection: 'close' });
  expect(await ask(ready)).toMatchObject({ status: 503, connection: 'close', body: '{"status":"stopping"}' });
  expect((await ask({})).cacheStatus).toContain('; hit');
});

test('an answer under way when a stop begins is finished, and is the last of its connection', async () => {
  const answer = await withClient(service.databaseUrl, async (client) => {
    await client.query('BEGIN; LOCK TABLE bank_accounts IN ACCESS EXCLUSIVE MODE');
    const asked = ask({});
    const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
    await expect.poll(async () => (await client.query(waiting)).rowCount).toBe(1);
    const closed = close();
    await client.query('COMMIT');
    await closed;
    return asked;
  });
  expect(answer).toMatchObject({ status: 200, connection: 'close', body: expect.stringContaining('nodes') });
});

test('a request that has come in half when the service closes is answered', async () => {
  const body = JSON.stringify({ query: QUERY });
  const head = `POST /graphql HTTP/1.1\r\nhost: test\r\nauthorization: Bearer ${token}\r\n`;
  const socket = await open();
  const received = text(socket);
  socket.write(head);
  await expect.poll(() => bytesTaken(socket)).toBe(Buffer.byteLength(head));
  await ask({ method: 'GET', path: '/health/live' }); // what was sent before it has been read
  const closed = close();
  await untilRefused();
  socket.write(`content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  expect(await received).toMatch(/^HTTP\/1.1 200 OK\r\n[\s\S]*nodes/);
  await closed;
});

test('a connection on which nothing ever came does not hold up the end', async () => {
  const socket = await open();
  await ask({ method: 'GET', path: '/health/live' }); // it is accepted by then
  const ended = once(socket.resume(), 'close');
  await close();
  await ended;
});

test.each([
  ['half of a head', () => 'POST /graphql HTTP/1.1\r\nhost: test\r\n'],
  ['half of a body', () => `${head(100)}{"query":`],
  ['requests, and does not read their answers', () => `${head(BODY.length)}${BODY}`.repeat(2_000)],
])('a client that sends %s does not hold up the end', async (_what, bytes) => {
  while (!(await ask({ query: LONG })).cacheStatus.includes('; hit'));
  const socket = await open();
  socket.on('error', () => {}).pause();
  socket.write(bytes());
  await untilNothingIsAnswered();
  await close();
  socket.destroy();
});

/** Until what came on other connections is answered, or cannot be: their answers are not taken. */
async function untilNothingIsAnswered(): Promise<void> {
  const answered = async () => {
    const { body } = await ask({ method: 'GET', path: '/metrics' });
    return body.match(/^tenantry_operation_duration_seconds_count.*$/gm)?.join() ?? '';
  };
  for (let last = '', now = await answered(); now !== last; ) [last, now] = [now, await answered()];
}

/** Its answer is long. */
const LONG = `{ ${Array.from({ length: 20 }, (_, n) => `a${n}: accounts(first: 30) { nodes { id accountNumber bankName } }`).join(' ')} }`;
const BODY = JSON.stringify({ query: LONG });

function head(length: number): string {
  return (
    `POST /graphql HTTP/1.1\r\nhost: test\r\nauthorization: Bearer ${token}\r\n` +
    `content-type: application/json\r\ncontent-length: ${length}\r\n\r\n`
  );
}

async function open(): Promise<Socket> {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

function bytesTaken({ bytesWritten, writableLength }: Socket): number {
  return bytesWritten - writableLength;
}

/** Until the service takes no new connection. */
async function untilRefused(): Promise<void> {
  for (;;) {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    const isTaken = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (!isTaken) return;
  }
}
