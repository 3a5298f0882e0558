import type { IncomingMessage } from 'node:http';
import { Readable, Transform } from 'node:stream';
import type { RequestPayload } from 'fastify';
import type { GraphQLError } from 'graphql';
import { badRequest } from '../errors.ts';

/** Long enough for any operation that the limits let through. */
export const MAX_BODY_BYTES = 1024 * 1024;

/**
 * Each piece of a body takes a few microseconds, however small it is. Packets and the chunks of
 * streaming clients are longer.
 */
const SMALL_PIECE_BYTES = 512;
const MAX_SMALL_PIECES = 1_024;

/** What a body of unknown length may be at most. */
interface Bounds {
  readonly bytes: number;
  /** The answer to more bytes. */
  readonly tooLong: () => GraphQLError;
}

/** What stands for the bodies of requests until they are read. */
const bounds = new WeakMap<IncomingMessage, Transform>();

/**
 * A body whose length is not known ahead. It fails where it is too long, or comes in too many small
 * pieces.
 * @param counted told in how many it came, when it ends or is refused
 */
export function boundedBody(
  request: IncomingMessage,
  payload: Readable,
  { bytes, tooLong }: Bounds,
  counted: (smallPieces: number, isRefused: boolean) => void,
): Readable {
  const received = new ReceivedPieces();
  const bounded = new Transform({
    transform(piece: Buffer, _encoding, done) {
      received.add(piece);
      const refusal = received.bytes > bytes ? tooLong() : received.hasTooManyPieces ? tooManyPieces() : undefined;
      if (!refusal) return done(null, piece);
      payload.unpipe(bounded);
      counted(received.smallPieces, true);
      done(refusal);
    },
    flush(done) {
      counted(received.smallPieces, false);
      done();
    },
  });
  const broken = (error: Error) => {
    counted(received.smallPieces, true);
    bounded.destroy(error);
  };
  // Who reads it is told. Nobody does where the request is refused before, or the client leaves.
  bounded.on('error', () => {});
  bounds.set(request, bounded);
  return payload.once('error', broken).pipe(bounded);
}

/** What stands for a body of a request that is answered without it. */
export function unread(request: IncomingMessage): RequestPayload {
  if (hasUnknownLength(request)) readPast(request);
  // Fastify compares the length with the one that was told.
  return Object.assign(Readable.from([]), { receivedEncodedLength: Number(request.headers['content-length'] ?? 0) });
}

/**
 * Reads on a body that nobody wants, and keeps nothing of it: a connection that ends with bytes
 * unread loses the answer. Too long a body ends it all the same.
 */
export function readPast(request: IncomingMessage): void {
  const received = new ReceivedPieces();
  const isChunked = hasUnknownLength(request);
  const look = (piece: Buffer) => {
    received.add(piece);
    if (received.bytes <= MAX_BODY_BYTES && !(isChunked && received.hasTooManyPieces)) return;
    request.off('data', look);
    request.destroy();
  };
  request.on('data', look).resume();
}

/** For a request that was answered: the rest of its body, unless somebody reads it. */
export function readPastRest(request: IncomingMessage): void {
  const bounded = bounds.get(request);
  if (bounded) request.unpipe(bounded);
  if (!request.complete && request.listenerCount('data') === 0) readPast(request);
}

/** For a request whose body no route reads. */
export function readPastIfLong(request: IncomingMessage): void {
  if (hasUnknownLength(request) || Number(request.headers['content-length']) > MAX_BODY_BYTES) readPast(request);
}

export function hasUnknownLength({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers['transfer-encoding'] !== undefined;
}

/** What has come of a body. */
class ReceivedPieces {
  bytes = 0;
  smallPieces = 0;

  add(piece: Buffer): void {
    this.bytes += piece.length;
    if (piece.length < SMALL_PIECE_BYTES) this.smallPieces++;
  }

  get hasTooManyPieces(): boolean {
    return this.smallPieces > MAX_SMALL_PIECES;
  }
}

function tooManyPieces(): GraphQLError {
  const limit = `${MAX_SMALL_PIECES.toLocaleString('en-US')} pieces of less than ${SMALL_PIECE_BYTES} bytes`;
  return badRequest(`A body may come in at most ${limit}, but it came in more. Send larger chunks.`, 413);
}
