import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { startService, type TestService } from '../support/service.ts';
import { insertTwins, TWINS, type Twin } from '../support/twin-tenants.ts';

/** Long enough to be compressed for who takes that. */
const QUERY = '{ accounts(first: 30) { nodes { id bankName accountNumber } } }';
const OTHER = '{ tenant { slug } }';

/** Differ from one answer to the next, wherever it comes from. */
const MOMENTARY = ['date', 'server-timing', 'cache-status', 'x-request-id'];

const PAGE = 'https://app.example.com';

describe.each([
  ['no page', { NODE_ENV: 'production', DATABASE_URL: 'postgresql://db/not-used' }],
  ['any page', { CORS_ORIGINS: '*' }],
  ['some pages', { CORS_ORIGINS: `${PAGE},https://other.example.com` }],
])('an answer that lies in the process, where %s may ask', (_pages, env) => {
  let service: TestService;
  let token: string;
  beforeAll(async () => {
    service = await startService({ env });
    await insertTwins(service.databaseUrl);
    await service.untilCaughtUp();
    token = await service.token(Role.ADMIN, (TWINS[0] as Twin).slug);
    for (const query of [QUERY, OTHER]) await untilHit(query);
  });
  afterAll(() => service.close());

  async function untilHit(query: string): Promise<void> {
    while (!String((await post(query)).headers['cache-status']).includes('; hit'));
  }

  interface Way {
    readonly headers?: Readonly<Record<string, string>>;
    /** Without a length told first, so that Fastify reads the body. */
    readonly isChunked?: boolean;
  }

  async function post(query: string, { headers = {}, isChunked }: Way = {}) {
    const body = JSON.stringify({ query });
    const request = httpRequest(`${service.url}/graphql`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        ...(!isChunked && { 'content-length': Buffer.byteLength(body) }),
        ...headers,
      },
    });
    if (isChunked) request.flushHeaders();
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return {
      status: response.statusCode,
      headers: response.headers,
      /** In their order. */
      lasting: namesAndValues(response).filter(([name]) => !MOMENTARY.includes(name)),
      body: await text(response.setEncoding('latin1')),
    };
  }

  /** The bytes of a request as they go over the wire. */
  function wire(query: string, more = ''): Buffer {
    const body = JSON.stringify({ query });
    return Buffer.from(
      `POST /graphql HTTP/1.1\r\nhost: test\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\n${more}\r\n${body}`,
    );
  }

  /** What comes back over one connection, until all of it is there. */
  async function exchange(pieces: readonly Buffer[], isAll: (received: string) => boolean): Promise<string> {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1').setNoDelay(true);
    await once(socket, 'connect');
    let received = '';
    socket.setEncoding('utf8').on('data', (data) => {
      received += data;
    });
    for (const piece of pieces) {
      socket.write(piece);
      for (let n = 0; n < 10; n++) await turn();
    }
    while (!isAll(received)) await once(socket, 'data');
    socket.destroy();
    return received;
  }

  test.each([
    ['plain', {}],
    ['compressed', { 'accept-encoding': 'gzip' }],
    ['for a page', { origin: PAGE }],
    ['for another page', { origin: 'https://another.example.com' }],
  ])('is the same ahead of Fastify as through it, %s', async (_form, headers) => {
    const [ahead, through] = [await post(QUERY, { headers }), await post(QUERY, { headers, isChunked: true })];
    for (const { headers } of [ahead, through]) expect(headers['cache-status']).toMatch(/^tenantry; hit; .*memory/);
    const form = ({ status, lasting, body }: typeof ahead) => ({ status, lasting, body });
    expect(form(ahead)).toEqual(form(through));
  });

  test('counts in the same way', async () => {
    const named = `query Counted ${QUERY}`;
    while (!String((await post(named)).headers['cache-status']).includes('; hit'));
    const counted = async () => {
      const { data } = await service.send(token, '{ performance { operations { name cacheHits latency { count } } } }');
      return data.performance.operations.find(({ name }: { name: string }) => name === 'Counted');
    };
    const { cacheHits, latency } = await counted();
    await post(named);
    expect(await counted()).toMatchObject({ cacheHits: cacheHits + 1, latency: { count: latency.count + 1 } });
    await post(named, { isChunked: true });
    expect(await counted()).toMatchObject({ cacheHits: cacheHits + 2, latency: { count: latency.count + 2 } });
  });

  test.each([1, 40, 200])('is given when the request comes in pieces, the last of %i bytes', async (bytes) => {
    const request = wire(QUERY);
    const pieces = [request.subarray(0, -bytes), request.subarray(-bytes)];
    expect(await exchange(pieces, (received) => received.trimEnd().endsWith('}'))).toMatch(
      /^HTTP\/1\.1 200 OK.*"nodes":\[/s,
    );
  });

  test('is given in its turn to requests that come together', async () => {
    const fresh = `query Fresh { tenant { name slug } }`;
    const together = Buffer.concat([wire(QUERY), wire(fresh), wire(OTHER)]);
    const received = await exchange(
      [together],
      (all) => all.split('HTTP/1.1 200 OK').length === 4 && all.trimEnd().endsWith('}'),
    );
    const bodies = received.split('HTTP/1.1 200 OK').map((answer) => answer.split('\r\n\r\n')[1] ?? '');
    expect(bodies.map((body) => Object.keys(JSON.parse(body || '{}').data ?? {}))).toEqual([
      [],
      ['accounts'],
      ['tenant'],
      ['tenant'],
    ]);
    expect(bodies[2]).toContain('"name"');
  });

  test('is given in its turn to a request that asks first whether to send its body', async () => {
    const slow = 'query Slow { statistics(period: YEARLY) { buckets { start } } }';
    const expecting = 'expect: 100-continue\r\n';
    const together = Buffer.concat([wire(slow), wire(OTHER, expecting), wire(`query Miss ${OTHER}`, expecting)]);
    const received = await exchange(
      [together],
      (all) => all.split('HTTP/1.1 200 OK').length === 4 && all.trimEnd().endsWith('}'),
    );
    const [yes, answer] = ['HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 200 OK\r\n[^{]*\r\n\r\n\\{"data".*\\}\n'];
    expect(received).toMatch(new RegExp(`^${[answer, yes + answer, yes + answer].join('')}$`));
  });

  test('is given to nobody whose token does not hold', async () => {
    const { status, body } = await post(QUERY, { headers: { authorization: `Bearer ${token}x` } });
    expect(status).toBe(401);
    expect(body).toContain('UNAUTHENTICATED');
  });

  test('does not keep a connection open when the service closes', async () => {
    const closing = await startService({ database: { name: '', url: service.databaseUrl, drop: async () => {} } });
    const own = await closing.token(Role.ADMIN, (TWINS[0] as Twin).slug);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = () =>
      new Promise<void>((resolve, reject) => {
        const headers = { authorization: `Bearer ${own}`, 'content-type': 'application/json' };
        const request = httpRequest(`${closing.url}/graphql`, { method: 'POST', agent, headers });
        request.on('response', (response) => response.resume().on('end', resolve)).on('error', reject);
        request.end(JSON.stringify({ query: QUERY }));
      });
    for (let n = 0; n < 5; n++) await ask();
    let isClosed = false;
    const closed = closing.close().then(() => {
      isClosed = true;
    });
    while (!isClosed) await ask().catch(() => turn());
    await closed;
    agent.destroy();
  });
});

function namesAndValues({ rawHeaders }: IncomingMessage): [name: string, value: string][] {
  const names = rawHeaders.filter((_, index) => index % 2 === 0);
  return names.map((name, index) => [name.toLowerCase(), rawHeaders[2 * index + 1] ?? '']);
}

describe('hooks that a plugin adds', () => {
  test.each([
    ['by itself', (app: FastifyInstance, add: (app: FastifyInstance) => void) => add(app)],
    [
      'for its own scope and all others',
      (app: FastifyInstance, add: (app: FastifyInstance) => void) =>
        void app.register(
          Object.assign(async (scope: FastifyInstance) => add(scope), { [Symbol.for('skip-override')]: true }),
        ),
    ],
  ])('%s see hits, too', async (_how, extend) => {
    const seen: string[] = [];
    const service = await startService({
      extend: (app) =>
        extend(app, (scope) => {
          scope.addHook('onRequest', async (_request, reply) => void reply.header('x-seen', 'yes'));
          scope.addHook('onResponse', async ({ url }, reply) => void seen.push(`${url} ${reply.statusCode}`));
        }),
    });
    try {
      await insertTwins(service.databaseUrl);
      const token = await service.token(Role.VIEWER, (TWINS[0] as Twin).slug);
      const ask = async () => (await service.send(token, OTHER)).headers;
      let headers = await ask();
      for (let sent = 1; sent < 20 && !headers.get('cache-status')?.includes('; hit'); sent++) headers = await ask();
      expect(headers.get('cache-status')).toMatch(/^tenantry; hit/);
      seen.splice(0);
      expect((await ask()).get('x-seen')).toBe('yes');
      expect(seen).toEqual(['/graphql 200']);
    } finally {
      await service.close();
    }
  });
});
