import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer, LoadedAnswer } from '../cache/answer.ts';
import { compressed } from '../cache/compression.ts';
import { gzippedBody, type ResponseEntry } from '../cache/entry.ts';
import { cacheStatus } from './cache-status.ts';
import { atTurnEnd } from './turn-end.ts';

/** Answers belong to their caller, and only the service knows whether they still hold. */
const CACHE_CONTROL = 'private, no-cache';
const VARY = 'accept, accept-encoding, authorization, origin';

/** Below this a compressed answer saves less than a packet. */
const MIN_COMPRESSED_BYTES = 1_400;

/** Sends an answer; one from the cache is sent exactly as the miss that filled it was. */
export function sendAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Answer,
  serverTiming: string,
): FastifyReply | Promise<FastifyReply> {
  const own = ['cache-status', cacheStatus(answer), 'server-timing', serverTiming] as const;
  if ('entry' in answer) return sendEntry(request, reply, answer.entry, own);
  return sendLoaded(request, reply, answer.loaded, CACHE_CONTROL, own);
}

/** Sends an answer that tells about itself, and that nobody is to keep. */
export function sendReport(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Answer,
  report: LoadedAnswer,
  serverTiming: string,
): Promise<FastifyReply> {
  const own = ['cache-status', cacheStatus(answer), 'server-timing', serverTiming] as const;
  return sendLoaded(request, reply, report, 'private, no-store', own);
}

function sendEntry(
  request: FastifyRequest,
  reply: FastifyReply,
  entry: ResponseEntry,
  own: readonly string[],
): FastifyReply | Promise<FastifyReply> {
  const { 'if-none-match': known } = request.headers;
  if (known !== undefined && request.method === 'GET' && matches(known, entry.etag))
    return write(reply, 304, ['cache-control', CACHE_CONTROL, 'vary', VARY, 'etag', entry.etag, ...own]);
  if (entry.body.length < MIN_COMPRESSED_BYTES || !takesGzip(request)) {
    entry.head ??= headOf(entry, entry.body);
    return write(reply, 200, [...entry.head, ...own], entry.body);
  }
  if (entry.gzipped) return sendCompressed(reply, entry, entry.gzipped, own);
  return gzippedBody(entry).then((gzipped) => sendCompressed(reply, entry, gzipped, own));
}

function sendCompressed(reply: FastifyReply, entry: ResponseEntry, gzipped: Buffer, own: readonly string[]) {
  entry.gzippedHead ??= headOf(entry, gzipped, 'gzip');
  return write(reply, 200, [...entry.gzippedHead, ...own], gzipped);
}

/** The headers that are the same each time an entry is sent, as names and values in turn. */
function headOf({ contentType, etag }: ResponseEntry, body: Buffer, encoding?: 'gzip'): string[] {
  const head = ['cache-control', CACHE_CONTROL, 'vary', VARY, 'content-type', contentType];
  if (encoding) head.push('content-encoding', encoding);
  head.push('etag', encoding ? compressedTag(etag) : etag, 'content-length', String(body.length));
  return head;
}

/** Past Fastify's own way of sending, which costs ten times as much for these headers (5 us of an answer, measured). */
function write(reply: FastifyReply, status: number, head: string[], body?: Buffer): FastifyReply {
  // What plugins have set, such as those of CORS.
  for (const [name, value] of Object.entries(reply.getHeaders())) head.push(name, String(value));
  reply.hijack();
  const { raw } = reply;
  atTurnEnd(() => {
    try {
      raw.writeHead(status, head).end(body);
    } catch (error) {
      raw.destroy(error as Error); // a header that HTTP does not allow; nobody else would end the connection
    }
  });
  return reply;
}

async function sendLoaded(
  request: FastifyRequest,
  reply: FastifyReply,
  { status, headers, body }: LoadedAnswer,
  cacheControl: string,
  own: readonly string[],
): Promise<FastifyReply> {
  const isCompressed = takesGzip(request) && body.length >= MIN_COMPRESSED_BYTES;
  const sent = isCompressed ? await compressed(body) : body;
  const all: Record<string, string> = {
    'cache-control': cacheControl,
    vary: VARY,
    ...headers,
    ...(isCompressed && { 'content-encoding': 'gzip' }),
    'content-length': String(sent.length),
  };
  return write(reply, status, [...Object.entries(all).flat(), ...own], sent);
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
