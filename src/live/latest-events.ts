import { type ExecutionResult, GraphQLError } from 'graphql';
import type { LiveEvent } from './live-event.ts';
import type { LiveEnd, LiveSink, LiveSubscription } from './live-subscription.ts';

type Result = IteratorResult<ExecutionResult, undefined>;

/**
 * The events of a subscription, taken one by one: the next is asked for when the one before has
 * left the process, and made only then.
 */
export class LatestEvents implements LiveSink, AsyncGenerator<ExecutionResult, undefined> {
  #waiting: { resolve(result: Result): void; reject(error: Error): void } | undefined;
  #hasEnded = false;
  #error: GraphQLError | undefined;
  #subscription: LiveSubscription | undefined;
  #onEnd = () => {};

  /**
   * @param onTokenEnd ends the connection, which has one token
   * @param onStalled cuts it off
   */
  constructor(
    private readonly requestId: string,
    private readonly onTokenEnd: () => void,
    private readonly onStalled: () => void,
  ) {}

  belongTo(subscription: LiveSubscription, onEnd: () => void): void {
    this.#subscription = subscription;
    this.#onEnd = onEnd;
    if (this.#hasEnded) onEnd();
  }

  get isFull(): boolean {
    return this.#waiting === undefined;
  }

  send(event: LiveEvent): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve({ done: false, value: event.result });
  }

  /** By pings of the connection. */
  beat(): void {}

  end(reason: LiveEnd, error?: GraphQLError): void {
    this.#hasEnded = true;
    this.#error = error && naming(error, this.requestId);
    this.#onEnd();
    // Where the connection is closed, its code says why.
    if (reason === 'token') this.onTokenEnd();
    else if (reason === 'stalled') this.onStalled();
    else if (reason !== 'stopping') this.#finish();
  }

  #finish(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (this.#error) waiting?.reject(this.#error);
    else waiting?.resolve({ done: true, value: undefined });
  }

  next(): Promise<Result> {
    if (this.#error) return Promise.reject(this.#error);
    if (this.#hasEnded) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#subscription?.drained();
    });
  }

  async return(): Promise<Result> {
    this.#subscription?.end('left');
    return { done: true, value: undefined };
  }

  async throw(): Promise<Result> {
    return this.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

function naming(error: GraphQLError, requestId: string): GraphQLError {
  return new GraphQLError(error.message, { extensions: { ...error.extensions, requestId } });
}
