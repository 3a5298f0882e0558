import type { Redis } from 'ioredis';

/**
 * A connection that stands still without being closed is noticed after this and the time for a
 * command; a refused subscription is tried again.
 */
const CHECK_MS = 1_000;

export interface SubscriptionEvents {
  readonly onMessage: (message: string) => void;
  /** Messages arrive from now on. */
  readonly onActive: () => void;
  readonly onError: (error: Error) => void;
}

/**
 * Hears the messages of one channel, on a connection of its own that is made again whenever it is
 * lost.
 */
export class RedisSubscription {
  #isActive = false;
  readonly #checking: NodeJS.Timeout;

  /** @param client not connected yet, and used by nobody else */
  constructor(
    private readonly client: Redis,
    private readonly channel: string,
    private readonly events: SubscriptionEvents,
  ) {
    client.on('error', events.onError);
    client.on('message', (_channel, message) => events.onMessage(message));
    client.on('ready', () => void this.#begin());
    client.on('close', () => {
      this.#isActive = false;
    });
    this.#checking = setInterval(() => void this.#check(), CHECK_MS).unref();
    client.connect().catch(() => {}); // told as an error too, and tried again
  }

  /** Whether messages arrive that are sent from now on. */
  get isActive(): boolean {
    return this.#isActive;
  }

  close(): void {
    clearInterval(this.#checking);
    this.#isActive = false;
    this.client.disconnect();
  }

  async #begin(): Promise<void> {
    try {
      await this.client.subscribe(this.channel);
      this.#isActive = true;
      this.events.onActive();
    } catch (error) {
      this.events.onError(error as Error);
    }
  }

  async #check(): Promise<void> {
    if (this.client.status !== 'ready') return;
    if (!this.#isActive) return this.#begin();
    try {
      await this.client.ping();
    } catch (error) {
      this.events.onError(error as Error);
      this.#isActive = false;
      this.client.disconnect(true);
    }
  }
}
