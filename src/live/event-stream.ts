import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLError } from 'graphql';
import { bearerToken } from '../auth/bearer-token.ts';
import type { AskedSubscription } from '../http/asked-operation.ts';
import type { EventStreams } from '../http/graphql-route.ts';
import type { LiveEvent } from './live-event.ts';
import type { LiveEnd, LiveSink } from './live-subscription.ts';
import type { LiveSubscriptions } from './live-subscriptions.ts';
import { toldError } from './told-error.ts';

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'private, no-cache, no-transform',
  // nginx would gather events otherwise.
  'x-accel-buffering': 'no',
  vary: 'accept, authorization, origin',
};

/** Server-sent events, as graphql-sse has them in its mode of distinct connections. */
export class LiveEventStreams implements EventStreams {
  constructor(private readonly live: LiveSubscriptions) {}

  answer(request: FastifyRequest, reply: FastifyReply, asked: AskedSubscription): FastifyReply {
    const { caller, headers, id: requestId } = request;
    const token = bearerToken(headers.authorization);
    if (!caller || !token) throw new Error('a stranger came past the gate');
    const lastEventId = headers['last-event-id'];
    const { raw } = reply;
    const subscription = this.live.open(
      asked,
      { caller, token, requestId, transport: 'sse', ...(typeof lastEventId === 'string' && { lastEventId }) },
      () => {
        const ofPlugins = reply.getHeaders() as Record<string, string>;
        reply.hijack();
        raw.writeHead(200, { ...ofPlugins, ...HEADERS, 'x-request-id': requestId });
        raw.write(':\n\n'); // the client knows that it is heard
        return new EventStreamSink(raw, requestId);
      },
    );
    raw.once('close', () => subscription.end('left'));
    raw.on('drain', () => subscription.drained());
    return reply;
  }
}

class EventStreamSink implements LiveSink {
  constructor(
    private readonly response: ServerResponse,
    private readonly requestId: string,
  ) {}

  get isFull(): boolean {
    return this.response.writableNeedDrain;
  }

  send({ text, cursor }: LiveEvent): void {
    this.response.write(`event: next\n${cursor === undefined ? '' : `id: ${cursor}\n`}data: ${text}\n\n`);
  }

  beat(): void {
    if (!this.isFull) this.response.write(':\n\n');
  }

  /** Without `complete` the client connects again. */
  end(reason: LiveEnd, error?: GraphQLError): void {
    if (reason === 'stalled') this.response.destroy();
    else if (error) {
      const errors = JSON.stringify({ errors: [toldError(error, this.requestId)] });
      this.response.end(`event: next\ndata: ${errors}\n\nevent: complete\ndata: \n\n`);
    } else this.response.end();
  }
}
