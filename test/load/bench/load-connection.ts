import { connect, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';

import { type HttpAnswer, HttpAnswerReader } from './http-answer.ts';

/** Larger than any answer of the bench, so that most come whole in one read. */
const READ_BYTES = 128 * 1024;

/** The other end is gone, without an error of the network's. */
export class ConnectionClosed extends Error {
  override name = 'ConnectionClosed';
}

/** What a connection asks for, and who is told of the answer. */
export interface Exchange {
  readonly bytes: Buffer;
  /** @throws when the answer is wrong: the run ends with that error */
  done(answer: HttpAnswer, latencyMs: number): void;
}

/**
 * One keep-alive connection with one request under way at a time. A raw socket: Node's own HTTP
 * client costs more than the servers that are measured.
 */
export class LoadConnection {
  readonly #socket: Socket;
  readonly #reader = new HttpAnswerReader();
  #current: Exchange | undefined;
  #sentAt = 0;
  #hasEnded = false;

  /**
   * @param next the next request; undefined ends the connection
   * @param ended called once, with the error that ended it or without
   */
  constructor(
    port: number,
    private readonly next: () => Exchange | undefined,
    private readonly ended: (error?: Error) => void,
  ) {
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    const callback = (length: number) => {
      this.#onBytes(buffer.subarray(0, length));
      return true;
    };
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread: { buffer, callback } });
    this.#socket.once('connect', () => this.#send());
    this.#socket.once('error', (error) => this.#end(error));
    this.#socket.once('close', () => this.#end(new ConnectionClosed('the server closed a connection')));
  }

  #onBytes(chunk: Buffer): void {
    try {
      const answer = this.#reader.read(chunk);
      if (!answer || !this.#current) return;
      this.#current.done(answer, performance.now() - this.#sentAt);
      this.#send();
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #send(): void {
    this.#current = this.next();
    this.#sentAt = performance.now();
    if (this.#current) this.#socket.write(this.#current.bytes);
    else this.#end();
  }

  #end(error?: Error): void {
    this.#current = undefined;
    this.#socket.removeAllListeners('close');
    this.#socket.destroy();
    if (!this.#hasEnded) this.ended(error);
    this.#hasEnded = true;
  }
}
