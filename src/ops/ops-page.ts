import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { constants, gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { findProjectRoot } from '../embedded/project-root.mjs';
import { compressedTag, matches, takesGzip } from '../http/send-answer.ts';

/**
 * Scripts, styles and requests of this service alone, and nothing that a text of the API could be
 * turned into: no inline script, no markup from strings.
 */
export const OPS_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const NOT_BUILT = 'The page for operators is not built. Run: npm run build. Then start the service again.\n';

interface PageFile {
  readonly type: string;
  readonly plain: Buffer;
  readonly gzipped: Buffer;
  readonly etag: string;
}

/** Where `npm run build` puts the page. */
export function opsPageFolder(): string {
  return path.join(findProjectRoot(), 'dist', 'ops-page');
}

/**
 * The page for operators at /ops. It holds no data: the browser asks /graphql for them, with the
 * token of an OPERATOR. The files are read once, here. Where there are none, the page says so.
 * @param folder what Vite has built
 */
export function registerOpsPage(app: FastifyInstance, folder = opsPageFolder()): void {
  const page = readFiles(folder, '.').get('index.html');
  const assets = readFiles(folder, 'assets');
  const sendPage = async (request: FastifyRequest, reply: FastifyReply) => {
    guard(reply).header('cache-control', 'no-cache');
    return page ? send(request, reply, page) : reply.code(503).type('text/plain; charset=utf-8').send(NOT_BUILT);
  };
  app.get('/ops', sendPage);
  app.get('/ops/', sendPage);
  app.get<{ Params: { name: string } }>('/ops/assets/:name', async (request, reply) => {
    const asset = assets.get(request.params.name);
    if (!asset) return reply.callNotFound();
    // Their names have a hash of the content.
    guard(reply).header('cache-control', 'public, max-age=31536000, immutable');
    return send(request, reply, asset);
  });
}

/** Of the folder itself, by name; those of no known type are not served. */
function readFiles(folder: string, within: string): ReadonlyMap<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const name of namesIn(path.join(folder, within))) {
    const type = TYPES[path.extname(name)];
    if (!type) continue;
    const plain = readFileSync(path.join(folder, within, name));
    const etag = `"${createHash('sha256').update(plain).digest('base64url')}"`;
    files.set(name, { type, plain, gzipped: gzipSync(plain, { level: constants.Z_BEST_COMPRESSION }), etag });
  }
  return files;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function send(request: FastifyRequest, reply: FastifyReply, { type, plain, gzipped, etag }: PageFile): FastifyReply {
  const { 'if-none-match': known } = request.headers;
  const isGzipped = takesGzip(request.headers);
  reply.headers({ vary: 'accept-encoding', etag: isGzipped ? compressedTag(etag) : etag });
  if (known !== undefined && matches(known, etag)) return reply.code(304).send();
  reply.type(type);
  return isGzipped ? reply.header('content-encoding', 'gzip').send(gzipped) : reply.send(plain);
}

/** A token is typed into the page: no other site's page reads, frames or opens it with a hold on it. */
function guard(reply: FastifyReply): FastifyReply {
  reply.removeHeader('access-control-allow-origin');
  return reply.headers({
    'content-security-policy': OPS_POLICY,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
}
