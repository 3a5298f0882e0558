import { gunzipSync } from 'node:zlib';
import Fastify from 'fastify';
import { describe, expect, test } from 'vitest';
import { type ExplorerOptions, explorerPages, SAMPLE_QUERY } from '../../src/http/explorer.ts';

const BROWSER = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' };

function appWith(options: ExplorerOptions) {
  const app = Fastify();
  app.register(explorerPages(options));
  app.get('/graphql', async () => ({ answeredBy: 'GraphQL' }));
  app.post('/graphql', async () => ({ answeredBy: 'GraphQL' }));
  return app;
}

const answeredByGraphql = { answeredBy: 'GraphQL' };

describe('GET /graphql', () => {
  const app = appWith({ enabled: true, sampleToken: 'sample.token.x' });

  test('shows a browser Apollo Sandbox, filled with the sample query and token', async () => {
    for (const url of ['/graphql', '/graphql?']) {
      const { statusCode, headers, body } = await app.inject({ url, headers: BROWSER });
      expect(statusCode).toBe(200);
      expect(headers['content-type']).toBe('text/html; charset=utf-8');
      expect(headers['cache-control']).toBe('no-store');
      expect(body).toContain('Bearer sample.token.x');
      expect(body).toContain(JSON.stringify(SAMPLE_QUERY).slice(1, -1));
    }
  });

  test('lets scripts run by their nonce alone, a new one for each visit', async () => {
    const visits = [
      await app.inject({ url: '/graphql', headers: BROWSER }),
      await app.inject({ url: '/graphql', headers: BROWSER }),
    ];
    const nonces = visits.map(({ headers, body }) => {
      const nonce = /script-src 'nonce-([^']+)'/.exec(String(headers['content-security-policy']))?.[1];
      expect(body.match(/<(script|style)\b/g)?.length).toBe(body.split(`nonce="${nonce}"`).length - 1);
      return nonce;
    });
    expect(new Set(nonces).size).toBe(2);
    expect(visits[0]?.headers['content-security-policy']).not.toContain('unsafe');
  });

  test.each([
    ['a program that takes anything', { accept: '*/*' }, '/graphql'],
    ['a program that does not say', {}, '/graphql'],
    ['a program that takes JSON, too', { accept: 'application/json, text/html' }, '/graphql'],
    ['a GraphQL client', { accept: 'application/graphql-response+json' }, '/graphql'],
    ['a browser that brings a query', BROWSER, '/graphql?query=%7B__typename%7D'],
  ])('leaves %s to GraphQL', async (_title, headers, url) => {
    expect((await app.inject({ url, headers })).json()).toStrictEqual(answeredByGraphql);
  });

  test('leaves posts to GraphQL, whatever they accept', async () => {
    const answer = await app.inject({ method: 'POST', url: '/graphql', headers: BROWSER });
    expect(answer.json()).toStrictEqual(answeredByGraphql);
  });
});

describe('GET /graphiql', () => {
  const app = appWith({ enabled: true });

  test('sends the page packed, with a policy that allows no other host', async () => {
    const answer = await app.inject({ url: '/graphiql', headers: { ...BROWSER, 'accept-encoding': 'gzip, br' } });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-encoding']).toBe('gzip');
    expect(answer.headers['content-security-policy']).toContain("default-src 'none'");
    expect(answer.headers['content-security-policy']).not.toContain('http');
    const page = gunzipSync(answer.rawPayload).toString();
    expect(page).toContain('<title>Tenantry</title>');
    expect((await app.inject('/graphiql')).body).toBe(page);
  });

  test('is not sent again to a browser that has it', async () => {
    const { headers } = await app.inject('/graphiql');
    const again = await app.inject({ url: '/graphiql', headers: { 'if-none-match': String(headers.etag) } });
    expect(again.statusCode).toBe(304);
    expect(again.body).toBe('');
  });
});

test('there are no pages where they are switched off', async () => {
  const app = appWith({ enabled: false, sampleToken: 'sample.token.x' });
  expect((await app.inject({ url: '/graphql', headers: BROWSER })).json()).toStrictEqual(answeredByGraphql);
  expect((await app.inject({ url: '/graphiql', headers: BROWSER })).statusCode).toBe(404);
});
