import type { ServerResponse } from 'node:http';
import { context, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Role } from '../../src/auth/caller.ts';
import { insertAccounts, insertTenant } from '../support/fixtures.ts';
import { postJson } from '../support/post.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { type RecordedSpans, recordSpans } from '../support/recorded-spans.ts';
import { describeWithOwnRedis, startRedis, type TestRedis } from '../support/redis.ts';
import { watchRedis } from '../support/redis-watch.ts';
import { startService, type TestService } from '../support/service.ts';

const ACCOUNTS = 'query Accounts { accounts(first: 5) { nodes { accountNumber } } }';

let redis: TestRedis;
let spans: RecordedSpans;
let service: TestService;
let token: string;

describeWithOwnRedis('the spans of a request', () => {
  beforeAll(async () => {
    redis = await startRedis();
    spans = recordSpans();
    service = await startService({ env: { REDIS_URL: redis.url }, extend: withActiveSpans });
    const tenantId = await insertTenant(service.databaseUrl, { slug: 'north' });
    await insertAccounts(service.databaseUrl, tenantId, [{ accountNumber: '1' }]);
    token = await service.token(Role.ADMIN, 'north');
    await service.untilCaughtUp();
    await service.send(token, '{ viewer { id } }'); // Redis has the tenant's versions from now on
    await spans.until(6);
    spans.take();
  });
  afterAll(async () => {
    await service.close();
    spans.stop();
    await redis.stop();
  });

  it('of a miss: HTTP, the cache, the operation, each statement and each call of Redis once', async () => {
    const sent = service.statements.length;
    await service.send(token, ACCOUNTS);
    await spans.until(12);
    expect(spans.tree()).toEqual([
      'POST /graphql SERVER',
      '  SET entry CLIENT',
      '  SET lock CLIENT',
      '  SET lock CLIENT',
      '  cache INTERNAL',
      '    MGET versions entry CLIENT',
      '    SET lock CLIENT',
      '  query INTERNAL',
      '    GET entry CLIENT',
      '    SELECT bank_accounts CLIENT',
      '    SET entry CLIENT',
      '    SET lock CLIENT',
    ]);
    expect(service.statements.length - sent).toBe(1);
    expect(spans.attributes('cache')).toEqual({
      'tenantry.cache.outcome': 'miss',
      'tenantry.cache.reason': 'absent',
      'tenantry.cache.namespace': 'accounts',
    });
    expect(spans.attributes('query')).toEqual({
      'graphql.operation.type': 'query',
      'graphql.operation.name': 'Accounts',
    });
    expect(spans.attributes('POST /graphql')).toEqual({
      'http.request.method': 'POST',
      'http.route': '/graphql',
      'http.response.status_code': 200,
      'url.path': '/graphql',
      'url.scheme': 'http',
    });
    expect(spans.attributes('SELECT bank_accounts')).toEqual({
      'db.system.name': 'postgresql',
      'db.operation.name': 'SELECT',
      'db.collection.name': 'bank_accounts',
      'db.query.summary': 'SELECT bank_accounts',
      'db.response.returned_rows': 1,
      'tenantry.statement': 'BankAccount.page',
    });
    expect(spans.attributes('MGET versions entry')).toEqual({
      'db.system.name': 'redis',
      'db.operation.name': 'MGET',
      'db.query.summary': 'MGET versions entry',
    });
  });

  it('of a hit in the process, whichever way it is answered: HTTP and the cache', async () => {
    for (let n = 0; n < 4; n++) await service.send(token, ACCOUNTS);
    await spans.until(8);
    spans.take();
    await service.send(token, ACCOUNTS);
    await spans.until(2);
    expect(spans.tree().filter((line) => !line.includes('versions'))).toEqual([
      'POST /graphql SERVER',
      '  cache INTERNAL',
    ]);
    expect(spans.attributes('cache')).toEqual({
      'tenantry.cache.outcome': 'hit',
      'tenantry.cache.tier': 'memory',
      'tenantry.cache.namespace': 'accounts',
    });
  });

  it('of a hit in Redis, which another process has filled', async () => {
    const { url } = { url: service.databaseUrl };
    const other = await startService({
      database: { url, drop: async () => {} } as TestDatabase,
      env: { REDIS_URL: redis.url },
    });
    try {
      await other.untilCaughtUp();
      spans.take();
      await other.send(token, ACCOUNTS);
      await spans.until(3);
      expect(spans.tree()).toEqual(['POST /graphql SERVER', '  cache INTERNAL', '    MGET versions entry CLIENT']);
      expect(spans.attributes('cache')).toMatchObject({
        'tenantry.cache.outcome': 'hit',
        'tenantry.cache.tier': 'redis',
      });
    } finally {
      await other.close();
    }
  });

  it('of a mutation: its statements and its bump, and the cache is not looked up', async () => {
    const open = 'mutation Open($input: CreateAccountInput!) { createAccount(input: $input) { account { id } } }';
    const input = { bankName: 'First Bank', accountNumber: '77', accountType: 'CHECKING', currency: 'EUR' };
    const { errors } = await service.send(token, open, { input });
    expect(errors).toBeUndefined();
    await spans.until(5);
    const lines = spans.tree();
    expect(lines.slice(0, 3)).toEqual(['POST /graphql SERVER', '  cache INTERNAL', '  mutation INTERNAL']);
    expect(lines).toContain('    EVALSHA bumpVersions CLIENT');
    expect(lines.filter((line) => line.includes('INSERT')).length).toBeGreaterThan(0);
    expect(spans.attributes('cache')).toEqual({
      'tenantry.cache.outcome': 'bypass',
      'tenantry.cache.reason': 'mutation',
    });
  });

  it('of an error: the operation is marked, the answer with status 200 is not', async () => {
    await service.send(token, 'query Lost { noSuchField }');
    await service.send(token, 'query Wrong { accounts(first: 100000) { totalCount } }');
    await spans.until(6);
    const marked = spans.take().filter(({ attributes }) => attributes['error.type'] !== undefined);
    expect(marked.map(({ name, attributes, status }) => [name, attributes['error.type'], status.code])).toEqual([
      ['GraphQL Operation', 'GRAPHQL_VALIDATION_FAILED', SpanStatusCode.ERROR],
      ['query', 'BAD_USER_INPUT', SpanStatusCode.ERROR],
    ]);
  });

  it('are none of a stranger, who could have any number of requests traced by a header', async () => {
    const traceparent = '00-11111111111111111111111111111111-00f067aa0ba902b7-01';
    await fetch(`${service.url}/graphql?query=${encodeURIComponent(ACCOUNTS)}`, { headers: { traceparent } });
    await service.send(token, ACCOUNTS);
    await spans.until(2);
    const traceIds = spans.take().map((span) => span.spanContext().traceId);
    expect(traceIds.length).toBeGreaterThan(0);
    expect(traceIds).not.toContain('11111111111111111111111111111111');
  });

  it("stand below the caller's, which the header names", async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await post({ traceparent });
    await spans.until(2);
    const [server] = spans.take().filter(({ name }) => name === 'POST /graphql');
    expect(server?.spanContext().traceId).toBe('4bf92f3577b34da6a3ce929d0e0e4736');
    expect(server?.parentSpanContext?.spanId).toBe('00f067aa0ba902b7');
  });

  it('are not made for a caller that does not record', async () => {
    await post({ traceparent: '00-5bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00' });
    await post({});
    await spans.until(2);
    expect(spans.take().every((span) => span.spanContext().traceId !== '5bf92f3577b34da6a3ce929d0e0e4736')).toBe(true);
  });

  it.each(['Accounts', 'Another'])('stand below an active span of HTTP, and make no second one: %s', async (name) => {
    // The first is a hit by now, and the second a miss.
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    const query = ACCOUNTS.replace('Accounts', name).replace('first: 5', name === 'Another' ? 'first: 6' : 'first: 5');
    await post({ traceparent, 'x-span': '1' }, query);
    await spans.until(name === 'Another' ? 12 : 2);
    const lines = spans.tree().filter((line) => line.includes('INTERNAL'));
    expect(lines).toEqual(['POST INTERNAL', '  cache INTERNAL', ...(name === 'Another' ? ['  query INTERNAL'] : [])]);
  });

  it('leave out what an instrumentation of the driver would make a second time', async () => {
    const query = pg.Client.prototype.query;
    pg.Client.prototype.query = function (this: pg.Client, ...given: unknown[]) {
      trace.getTracer('pg').startSpan('pg.query').end();
      return Reflect.apply(query, this, given);
    } as typeof query;
    try {
      await service.send(token, 'query Third { accounts(first: 7) { nodes { accountNumber } } }');
      await spans.until(6);
      await service.untilCaughtUp(); // not of the requests alone: the outbox is polled
      const lines = spans.tree();
      expect(lines).toContain('    SELECT bank_accounts CLIENT');
      expect(lines.filter((line) => line.includes('pg.query'))).toEqual([]);
    } finally {
      pg.Client.prototype.query = query;
    }
  });

  it('are all that there are: an idle process that polls makes none', async () => {
    spans.take();
    const watch = await watchRedis(redis.url);
    const tenantId = await insertTenant(service.databaseUrl, { slug: 'south' });
    await insertAccounts(service.databaseUrl, tenantId, [{ accountNumber: '9' }]);
    await service.untilCaughtUp();
    await watch.until(([command = '']) => /^eval/i.test(command)); // the relay, or the lease
    watch.close();
    expect(spans.take()).toEqual([]);
  });
});

/** Sends a query with headers. */
function post(headers: Record<string, string>, query = ACCOUNTS) {
  return postJson(
    `${service.url}/graphql`,
    { authorization: `Bearer ${token}`, ...headers },
    JSON.stringify({ query }),
  );
}

/** Requests with `x-span` come in while a span is active, as with an instrumentation of HTTP. */
function withActiveSpans({ server }: FastifyInstance): void {
  const emit = server.emit.bind(server);
  server.emit = (event: string, ...rest: unknown[]) => {
    const [request] = rest as [{ headers?: Record<string, string> }];
    if (event !== 'request' || !request.headers?.['x-span']) return emit(event, ...rest);
    const span = trace.getTracer('http').startSpan('POST', {}, ROOT_CONTEXT);
    (rest[1] as ServerResponse).once('close', () => span.end());
    return context.with(trace.setSpan(ROOT_CONTEXT, span), () => emit(event, ...rest));
  };
}
