import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ResponseEntry } from '../cache/entry.ts';
import type { Answer, LoadedAnswer } from '../cache/response-cache.ts';

/** Answers belong to their caller, and only the service knows whether they still hold. */
const CACHE_CONTROL = 'private, no-cache';
const VARY = 'accept, accept-encoding, authorization, origin';

/** Below this a compressed answer saves less than a packet. */
const MIN_COMPRESSED_BYTES = 1_400;
/** The level beyond which JSON gets hardly smaller and the time grows fast (zlib's own default is 6). */
const COMPRESSION_LEVEL = 4;

const compress = promisify(gzip);

/** Sends an answer; one from the cache is sent exactly as the miss that filled it was. */
export async function sendAnswer(request: FastifyRequest, reply: FastifyReply, answer: Answer): Promise<FastifyReply> {
  reply.header('cache-control', CACHE_CONTROL);
  reply.header('vary', VARY);
  reply.header('cache-status', answer.outcome === 'hit' ? 'tenantry; hit' : `tenantry; fwd=${answer.outcome}`);
  return 'entry' in answer ? sendEntry(request, reply, answer.entry) : sendLoaded(request, reply, answer.loaded);
}

async function sendEntry(request: FastifyRequest, reply: FastifyReply, entry: ResponseEntry): Promise<FastifyReply> {
  const { 'if-none-match': known } = request.headers;
  if (known !== undefined && request.method === 'GET' && matches(known, entry.etag))
    return reply.header('etag', entry.etag).code(304).send();
  reply.header('content-type', entry.contentType);
  if (!takesGzip(request) || entry.body.length < MIN_COMPRESSED_BYTES)
    return reply.header('etag', entry.etag).send(entry.body);
  entry.gzipped ??= await compress(entry.body, { level: COMPRESSION_LEVEL });
  return reply.header('etag', compressedTag(entry.etag)).header('content-encoding', 'gzip').send(entry.gzipped);
}

async function sendLoaded(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, headers, body }: LoadedAnswer,
): Promise<FastifyReply> {
  const { 'content-length': _, ...kept } = headers;
  reply.code(status).headers(kept);
  if (!takesGzip(request) || body.length < MIN_COMPRESSED_BYTES) return reply.send(body);
  return reply.header('content-encoding', 'gzip').send(await compress(body, { level: COMPRESSION_LEVEL }));
}

function takesGzip(request: FastifyRequest): boolean {
  const accepted = request.headers['accept-encoding'];
  return accepted !== undefined && /\bgzip\b(?!\s*;\s*q=0(?![.\d]*[1-9]))/.test(accepted);
}

/** Another sequence of bytes needs another strong validator. */
function compressedTag(etag: string): string {
  return `${etag.slice(0, -1)}-gzip"`;
}

function matches(known: string, etag: string): boolean {
  const tags = known.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag) || tags.includes(compressedTag(etag));
}
