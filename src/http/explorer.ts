import type { FastifyPluginCallback, FastifyReply, FastifyRequest } from 'fastify';
import { createGraphiqlPage, GRAPHIQL_POLICY } from './graphiql-page.ts';
import { searchOf } from './read-graphql-request.ts';
import { createSandboxPage } from './sandbox-page.ts';

/**
 * What both pages open with: a first look at what there is, allowed to every role that has a
 * tenant.
 */
export const SAMPLE_QUERY = `query FirstLook {
  viewer {
    name
    role
    tenant {
      name
      timeZone
    }
  }
  accounts(first: 5, orderBy: { field: BALANCE, direction: DESC }) {
    totalCount
    nodes {
      bankName
      accountNumber
      balance
      currency
      recentTransactions(limit: 3) {
        bookedAt
        direction
        amount
        category
      }
    }
  }
}
`;

export interface ExplorerOptions {
  /** Whether there are any pages at all: the setting EXPLORER. */
  readonly enabled: boolean;
  /**
   * Filled into the Authorization header of both pages, for everybody who opens them: only ever a
   * token for generated demo data, and never in production. Absent: the header is there to be
   * filled in.
   */
  readonly sampleToken?: string;
}

/**
 * The pages for people: Apollo Sandbox for a browser that opens /graphql, and GraphiQL at
 * /graphiql, which needs no other host than this service. Registered before the route of /graphql,
 * whose browser visits it answers.
 */
export function explorerPages({ enabled, sampleToken }: ExplorerOptions): FastifyPluginCallback {
  const plugin: FastifyPluginCallback = (app, _options, done) => {
    if (enabled) {
      const content = { query: SAMPLE_QUERY, ...(sampleToken && { token: sampleToken }) };
      const sandbox = createSandboxPage(content);
      const graphiql = createGraphiqlPage(content);
      app.addHook('onRequest', (request, reply, next) => {
        if (!isBrowserVisit(request)) return next();
        const { html, policy } = sandbox();
        asPage(reply, policy).header('cache-control', 'no-store').send(html);
      });
      app.get('/graphiql', async (request, reply) => {
        const { gzipped, html, etag } = await graphiql();
        asPage(reply, GRAPHIQL_POLICY).headers({ 'cache-control': 'private, no-cache', vary: 'accept-encoding', etag });
        if (request.headers['if-none-match'] === etag) return reply.code(304).send();
        if (!/\bgzip\b/.test(request.headers['accept-encoding'] ?? '')) return reply.send(html);
        return reply.header('content-encoding', 'gzip').send(gzipped);
      });
    }
    done();
  };
  // Fastify's own sign for a plugin whose hooks hold outside it too: /graphql is registered
  // elsewhere.
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true });
}

/** A person at /graphql and not a program: programs ask for JSON, or bring a query. */
function isBrowserVisit(request: FastifyRequest): boolean {
  if (request.method !== 'GET' || request.url.split('?', 1)[0] !== '/graphql') return false;
  const accept = request.headers.accept ?? '';
  if (!accept.includes('text/html') || accept.includes('json')) return false;
  return !searchOf(request.url).has('query');
}

/** A page may hold a token: no other site's page reads it. */
function asPage(reply: FastifyReply, policy: string): FastifyReply {
  reply.removeHeader('access-control-allow-origin');
  return reply
    .header('cross-origin-resource-policy', 'same-origin')
    .type('text/html; charset=utf-8')
    .header('content-security-policy', policy)
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer');
}
