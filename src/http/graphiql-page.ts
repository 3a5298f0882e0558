import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { MARK_SVG, MARK_URL, type PageContent } from './page-content.ts';

/**
 * The page is one file of inline scripts, styles and fonts, starts workers from itself, and talks
 * to this service alone.
 */
export const GRAPHIQL_POLICY = [
  "default-src 'none'",
  "script-src 'unsafe-inline'",
  "style-src 'unsafe-inline'",
  'worker-src blob:',
  'font-src data:',
  'img-src data:',
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * Left a comment, so that the schema can be read before there is a token: a wrong one is refused.
 */
const HEADERS_TO_FILL_IN = `{
  // Put a token in, and take the slashes away:
  // "Authorization": "Bearer <token>"
}`;

export interface GraphiqlPage {
  /** About 2.4 MB. */
  readonly gzipped: Buffer;
  /** About 9 MB. */
  readonly html: Buffer;
  readonly etag: string;
}

/**
 * GraphiQL with the content filled in, made at the first call: its 9 MB of scripts are not loaded
 * for a service that nobody explores.
 */
export function createGraphiqlPage(content: PageContent): () => Promise<GraphiqlPage> {
  let page: Promise<GraphiqlPage> | undefined;
  return () => {
    page ??= makePage(content);
    return page;
  };
}

async function makePage({ query, token }: PageContent): Promise<GraphiqlPage> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql');
  const text = renderGraphiQL({
    title: 'Tenantry',
    logo: MARK_SVG,
    favicon: MARK_URL,
    endpoint: '/graphql',
    // Not `defaultQuery`, with which every later visit opens an empty tab.
    query,
    headers: token ? JSON.stringify({ Authorization: `Bearer ${token}` }, null, 2) : HEADERS_TO_FILL_IN,
    // Tokens stay out of the browser's storage.
    shouldPersistHeaders: false,
  } as Parameters<typeof renderGraphiQL>[0]);
  const html = Buffer.from(text.trim());
  const etag = `"${createHash('sha256').update(html).digest('base64url')}"`;
  return { gzipped: await promisify(gzip)(html), html, etag };
}
