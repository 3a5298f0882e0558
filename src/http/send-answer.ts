import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer, Hit, LoadedAnswer } from '../cache/response/answer.ts';
import { compressed } from '../cache/store/compression.ts';
import { gzippedBody, type ResponseEntry } from '../cache/store/entry.ts';
import { type RequestTiming, serverTiming } from '../monitoring/request-timing.ts';
import { cacheStatus } from './cache-status.ts';
import type { HttpRequest } from './read-graphql-request.ts';
import { writeTogether } from './write-batching.ts';

/** Answers belong to their caller, and only the service knows whether they still hold. */
const CACHE_CONTROL = 'private, no-cache';
const VARY = 'accept, accept-encoding, authorization, origin';

/** Below this a compressed answer saves less than a packet. */
const MIN_COMPRESSED_BYTES = 1_400;

/** What of a request the form of its answer depends on. */
type Asker = Pick<HttpRequest, 'method' | 'headers'>;

/** An answer in the form that the client takes; headers as names and values in turn. */
interface Form {
  readonly status: number;
  readonly head: readonly string[];
  readonly body?: Buffer;
}

/** Sends an answer; one from the cache is sent exactly as the miss that filled it was. */
export function sendAnswer(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Answer,
  timing: RequestTiming,
): FastifyReply | Promise<FastifyReply> {
  const form =
    'entry' in answer ? formOfEntry(request, answer.entry) : formOfLoaded(request, answer.loaded, CACHE_CONTROL);
  const own = headersOf(answer, timing);
  return form instanceof Promise ? form.then((made) => sendForm(reply, made, own)) : sendForm(reply, form, own);
}

/** Sends an answer that tells about itself, and that nobody is to keep. */
export async function sendReport(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Answer,
  report: LoadedAnswer,
  timing: RequestTiming,
): Promise<FastifyReply> {
  return sendForm(reply, await formOfLoaded(request, report, 'private, no-store'), headersOf(answer, timing));
}

/**
 * Sends an answer from the cache to a client whom Fastify knows nothing of.
 * @param more headers that its plugins would have set, as names and values in turn
 */
export function sendHit(
  request: Asker,
  response: ServerResponse,
  hit: Hit,
  timing: RequestTiming,
  more: readonly string[],
): void {
  const form = formOfEntry(request, hit.entry);
  const own = headersOf(hit, timing).concat(more);
  if (form instanceof Promise)
    form.then(
      (made) => write(response, made, own),
      (error: Error) => response.destroy(error),
    );
  else write(response, form, own);
}

function headersOf(answer: Answer, timing: RequestTiming): string[] {
  const { requestId } = timing;
  return ['cache-status', cacheStatus(answer), 'server-timing', serverTiming(timing), 'x-request-id', requestId];
}

function formOfEntry({ method, headers }: Asker, entry: ResponseEntry): Form | Promise<Form> {
  if (isKnown({ method, headers }, entry))
    return { status: 304, head: ['cache-control', CACHE_CONTROL, 'vary', VARY, 'etag', entry.etag] };
  if (entry.body.length < MIN_COMPRESSED_BYTES || !takesGzip(headers)) {
    entry.head ??= headOf(entry, entry.body);
    return { status: 200, head: entry.head, body: entry.body };
  }
  if (entry.gzipped) return compressedForm(entry, entry.gzipped);
  return gzippedBody(entry).then((gzipped) => compressedForm(entry, gzipped));
}

/** Whether the client has it already, and is answered with 304. */
export function isKnown({ method, headers }: Asker, { etag }: ResponseEntry): boolean {
  const { 'if-none-match': known } = headers;
  return known !== undefined && method === 'GET' && matches(known, etag);
}

function compressedForm(entry: ResponseEntry, gzipped: Buffer): Form {
  entry.gzippedHead ??= headOf(entry, gzipped, 'gzip');
  return { status: 200, head: entry.gzippedHead, body: gzipped };
}

/** The headers that are the same each time an entry is sent. */
function headOf({ contentType, etag }: ResponseEntry, body: Buffer, encoding?: 'gzip'): string[] {
  const head = ['cache-control', CACHE_CONTROL, 'vary', VARY, 'content-type', contentType];
  if (encoding) head.push('content-encoding', encoding);
  head.push('etag', encoding ? compressedTag(etag) : etag, 'content-length', String(body.length));
  return head;
}

async function formOfLoaded(asker: Asker, loaded: LoadedAnswer, cacheControl: string): Promise<Form> {
  const isCompressed = takesGzip(asker.headers) && loaded.body.length >= MIN_COMPRESSED_BYTES;
  const body = isCompressed ? await compressed(loaded.body) : loaded.body;
  const all: Record<string, string> = {
    'cache-control': cacheControl,
    vary: VARY,
    ...loaded.headers,
    ...(isCompressed && { 'content-encoding': 'gzip' }),
    'content-length': String(body.length),
  };
  return { status: loaded.status, head: Object.entries(all).flat(), body };
}

/** Past Fastify's own way of sending, which costs many times as much for these headers. */
function sendForm(reply: FastifyReply, form: Form, own: string[]): FastifyReply {
  // What plugins have set, such as those of CORS.
  for (const [name, value] of Object.entries(reply.getHeaders())) own.push(name, String(value));
  reply.hijack();
  write(reply.raw, form, own);
  return reply;
}

function write(response: ServerResponse, { status, head, body }: Form, own: readonly string[]): void {
  writeTogether(() => {
    try {
      response.writeHead(status, [...head, ...own]).end(body);
    } catch (error) {
      response.destroy(error as Error); // a header that HTTP does not allow; nobody else would end the connection
    }
  });
}

export function takesGzip(headers: IncomingHttpHeaders): boolean {
  const accepted = headers['accept-encoding'];
  return accepted !== undefined && /\bgzip\b(?!\s*;\s*q=0(?![.\d]*[1-9]))/.test(accepted);
}

/** Another sequence of bytes needs another strong validator. */
export function compressedTag(etag: string): string {
  return `${etag.slice(0, -1)}-gzip"`;
}

/** A tag has no quotation mark within, and the mark of a weak one stands ahead of it. */
export function matches(known: string, etag: string): boolean {
  return known === '*' || known.includes(etag) || known.includes(compressedTag(etag));
}
