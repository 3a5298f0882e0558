import type { IncomingHttpHeaders } from 'node:http';
import { MIMEType } from 'node:util';
import { LRUCache } from 'lru-cache';
import Negotiator from 'negotiator';
import { badRequest } from '../errors.ts';
import { MEDIA_TYPES, type MediaType } from '../graphql/graphql-request.ts';

/** Clients send a handful of spellings. */
const MAX_REMEMBERED = 100;
const MAX_REMEMBERED_LENGTH = 200;
/** Browsers send 200 characters. To choose takes the longer, the more types there are. */
const MAX_ACCEPT_LENGTH = 1_024;

/** Media types may name their charset, and then the one that answers have. */
const OFFERED = MEDIA_TYPES.flatMap((type) => [`${type}; charset=utf-8`, type]);

const remembered = new LRUCache<string, MediaType>({ max: MAX_REMEMBERED });

/**
 * The media type of the answer, by the header `Accept`; JSON where there is none.
 * @throws status 406 for a client that takes neither, or names too many
 */
export function answerMediaType(accept: string | undefined): MediaType {
  if (!accept || accept === '*/*') return MEDIA_TYPES[0];
  const known = remembered.get(accept);
  if (known) return known;
  if (accept.length > MAX_ACCEPT_LENGTH)
    throw badRequest(
      `accept may have at most ${MAX_ACCEPT_LENGTH.toLocaleString('en-US')} characters, but it has ${accept.length.toLocaleString('en-US')}. Name ${MEDIA_TYPES.join(' or ')}.`,
      406,
    );
  const [preferred] = new Negotiator({ headers: { accept } }).mediaTypes(OFFERED);
  const mediaType = MEDIA_TYPES.find((type) => preferred?.startsWith(type));
  if (!mediaType) throw badRequest(`accept must allow ${MEDIA_TYPES.join(' or ')}, but got: ${shown(accept)}.`, 406);
  if (accept.length <= MAX_REMEMBERED_LENGTH) remembered.set(accept, mediaType);
  return mediaType;
}

/** @throws status 415 for a body that is not UTF-8 JSON as it stands */
export function checkBodyType(headers: IncomingHttpHeaders): void {
  const { 'content-type': type, 'content-encoding': encoding = 'identity' } = headers;
  if (type !== 'application/json' && !isJson(type))
    throw badRequest(`content-type must be application/json in UTF-8, but got: ${shown(type)}.`, 415);
  if (encoding.trim().toLowerCase() !== 'identity')
    throw badRequest(
      `content-encoding must be identity, but got: ${shown(encoding)}. Send the body uncompressed.`,
      415,
      ['accept-encoding', 'identity'],
    );
}

function isJson(type: string | undefined): boolean {
  try {
    const { essence, params } = new MIMEType(type ?? '');
    return essence === 'application/json' && /^utf-?8$/i.test(params.get('charset') ?? 'utf-8');
  } catch {
    return false; // no media type at all
  }
}

function shown(header: string | undefined): string {
  return header === undefined ? 'none' : JSON.stringify(header.slice(0, 80));
}
