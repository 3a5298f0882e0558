import { GraphQLError } from 'graphql';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import { isCurrent, type Versions } from '../cache/versions/versions.ts';
import { ErrorCode } from '../errors.ts';
import { errorCodeOf } from '../graphql/format-error.ts';
import { type LiveState, NOTHING_KNOWN } from './cursor.ts';
import type { LiveEvent } from './live-event.ts';
import type { LiveFigures } from './live-figures.ts';
import type { LiveReading, LiveSource, TenantCaller } from './live-source.ts';
import type { Watcher } from './tenant-watches.ts';

/** At most ten events in a second. */
const LEAST_GAP_MS = 100;
const RETRY_MS = 1_000;

/** Why a subscription is over. `left`: the client's own doing. */
export type LiveEnd = 'left' | 'token' | 'error' | 'stalled' | 'stopping';

/** The way to a subscriber. */
export interface LiveSink {
  /** Whether what was sent last has not left yet: nothing more is sent then. */
  readonly isFull: boolean;
  send(event: LiveEvent): void;
  /** Says that the connection is alive. */
  beat(): void;
  /** @param error told as the last thing; absent for a subscriber that is to come again, or is gone */
  end(reason: LiveEnd, error?: GraphQLError): void;
}

export interface LiveOptions {
  readonly source: LiveSource;
  readonly sink: LiveSink;
  readonly token: string;
  readonly verifier: Pick<TokenVerifier, 'verify'>;
  readonly figures: LiveFigures;
  readonly onEnd: (reason: LiveEnd, events: number) => void;
  /** Told of what is nobody's fault but ours. */
  readonly onFailure: (error: unknown) => GraphQLError;
}

/** One subscriber: what it knows, and whether it is due to be told something. */
export class LiveSubscription implements Watcher {
  #known: LiveState = NOTHING_KNOWN;
  /** Whether its value may be another than the one that it knows. */
  #isDue = false;
  #isReading = false;
  #isEnded = false;
  #isFirst = true;
  #sentMs = Number.NEGATIVE_INFINITY;
  #notBeforeMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #fullSinceMs: number | undefined;
  #events = 0;

  constructor(private readonly options: LiveOptions) {}

  /** @param known by a cursor; such a subscriber is told what is new alone */
  begin(known: LiveState): void {
    this.#known = known;
    this.#isFirst = known.versions === undefined;
    if (this.#isFirst) this.#mark();
  }

  judge(now: Versions): void {
    const { versions } = this.#known;
    if (!versions || !isCurrent(versions, now)) this.#mark();
  }

  /** To be called about once a second. @param stallMs how long a sink may be full */
  tick(stallMs: number): void {
    if (Date.now() >= this.#known.expiresAtMs) this.#mark();
    if (!this.options.sink.isFull) this.#fullSinceMs = undefined;
    else {
      this.#fullSinceMs ??= performance.now();
      if (performance.now() - this.#fullSinceMs >= stallMs) this.end('stalled');
    }
  }

  /** The sink takes something again. */
  drained(): void {
    if (this.#isDue) this.#schedule();
  }

  /** Whether the token still holds; when not, it is over. */
  async reauthorize(): Promise<TenantCaller | undefined> {
    const { verifier, token } = this.options;
    try {
      const caller = await verifier.verify(token);
      if (caller.tenant) return caller as TenantCaller;
    } catch (error) {
      if (errorCodeOf(error) !== ErrorCode.Unavailable) this.end('token', asGraphqlError(error));
    }
    return undefined;
  }

  end(reason: LiveEnd, error?: GraphQLError): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    clearTimeout(this.#timer);
    this.options.sink.end(reason, error);
    this.options.onEnd(reason, this.#events);
  }

  #mark(): void {
    if (this.#isDue) this.options.figures.coalesced++;
    this.#isDue = true;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isReading || this.#isEnded || this.#timer) return;
    const waitMs = Math.max(this.#sentMs + LEAST_GAP_MS - performance.now(), this.#notBeforeMs - Date.now());
    if (waitMs <= 0) void this.#tell();
    else
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#schedule();
      }, waitMs);
  }

  /** A full sink is left alone: it is told the last state when it takes something again. */
  async #tell(): Promise<void> {
    if (this.options.sink.isFull) return;
    this.#isReading = true;
    this.#isDue = false;
    try {
      const caller = await this.reauthorize();
      if (this.#isEnded) return;
      if (caller) this.#take(await this.options.source.read(caller, this.#known));
      else this.#again(Date.now() + RETRY_MS);
    } catch (error) {
      this.end('error', this.options.onFailure(error));
    } finally {
      this.#isReading = false;
    }
    if (this.#isDue) this.#schedule();
  }

  #take(reading: LiveReading): void {
    if (this.#isEnded) return;
    if ('failed' in reading) this.end('error', reading.failed);
    else if ('retryAtMs' in reading) {
      // Whoever has nothing yet is told at once, and may come again.
      if (this.#isFirst && !reading.isBrief) this.end('error', reading.error);
      else this.#again(reading.retryAtMs);
    } else {
      this.#known = reading.state;
      this.#isFirst = false;
      if (reading.event) this.#send(reading.event);
    }
  }

  #send(event: LiveEvent): void {
    this.#sentMs = performance.now();
    this.#events++;
    this.options.sink.send(event);
  }

  #again(atMs: number): void {
    this.#isDue = true;
    this.#notBeforeMs = atMs;
  }
}

function asGraphqlError(error: unknown): GraphQLError {
  return error instanceof GraphQLError ? error : new GraphQLError(String(error));
}
