const HEAD_END = Buffer.from('\r\n\r\n');
const CONTENT_LENGTH = /\r\ncontent-length: (\d+)/i;
/** Room for an answer that comes in pieces; grows where that is not enough. */
const STORE_BYTES = 64 * 1024;
/** Where the status stands in "HTTP/1.1 200 OK". */
const STATUS = [9, 12] as const;

/** An answer as it came. */
export interface HttpAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: Buffer;
}

/**
 * Reads HTTP/1.1 answers with a content-length from a stream of chunks: just what a load generator
 * needs, at little cost. What is given out lies in memory that the next chunk overwrites.
 */
export class HttpAnswerReader {
  #store = Buffer.allocUnsafe(STORE_BYTES);
  #filled = 0;
  /** How long the answer under way is as a whole; 0 while that is not known. */
  #needed = 0;

  /** @returns the answer once it is whole. @throws when it is none of those described */
  read(chunk: Buffer): HttpAnswer | undefined {
    const bytes = this.#filled === 0 ? chunk : this.#keep(chunk);
    const answer = bytes.length < this.#needed ? undefined : this.#parse(bytes);
    if (answer) this.#filled = this.#needed = 0;
    else if (this.#filled === 0) this.#keep(chunk);
    return answer;
  }

  #parse(bytes: Buffer): HttpAnswer | undefined {
    const headEnd = bytes.indexOf(HEAD_END);
    if (headEnd === -1) return undefined;
    const head = bytes.toString('latin1', 0, headEnd);
    const length = CONTENT_LENGTH.exec(head)?.[1];
    if (length === undefined) throw new Error(`an answer without content-length:\n${head}`);
    const bodyStart = headEnd + HEAD_END.length;
    this.#needed = bodyStart + Number(length);
    if (bytes.length > this.#needed) throw new Error('more came than the one answer that was asked for');
    if (bytes.length < this.#needed) return undefined;
    return { status: Number(head.slice(...STATUS)), head, body: bytes.subarray(bodyStart) };
  }

  /** @returns all that has come of the answer */
  #keep(chunk: Buffer): Buffer {
    const end = this.#filled + chunk.length;
    if (end > this.#store.length) {
      const larger = Buffer.allocUnsafe(Math.max(end, this.#needed, 2 * this.#store.length));
      this.#store.copy(larger, 0, 0, this.#filled);
      this.#store = larger;
    }
    chunk.copy(this.#store, this.#filled);
    this.#filled = end;
    return this.#store.subarray(0, end);
  }
}
