import { isUtf8 } from 'node:buffer';

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = '\ufeff';
/** Far above any valid row; bounds what is held of a file without line ends. */
const MAX_LINE_BYTES = 64 * 1024;
/** What is kept of a longer one, for the rejects file. */
const KEPT_BYTES = 200;

const TOO_LONG = `the line is longer than ${MAX_LINE_BYTES} bytes`;
const NOT_UTF8 = 'the line is not valid UTF-8';

/** A physical line, without its line feed. */
export interface Line {
  readonly text: string;
  /** Why no row can be made of it. */
  readonly problem?: string;
}

/** Cuts bytes into lines. */
export class LineSplitter {
  #rest = Buffer.alloc(0);
  #overlong = false;
  #first = true;

  push(chunk: Buffer): Line[] {
    const end = chunk.lastIndexOf(NEWLINE);
    if (end === -1) return this.#keep(chunk);
    const whole = Buffer.concat([this.#rest, chunk.subarray(0, end)]);
    const lines = this.#split(whole);
    this.#rest = Buffer.alloc(0);
    this.#overlong = false;
    this.#keep(chunk.subarray(end + 1));
    return lines;
  }

  /** The last line, when nothing ends it. */
  end(): Line[] {
    return this.#rest.length > 0 ? this.#split(this.#rest) : [];
  }

  #keep(bytes: Buffer): Line[] {
    this.#rest = Buffer.concat([this.#rest, bytes]);
    if (this.#rest.length > MAX_LINE_BYTES) {
      this.#overlong = true;
      this.#rest = this.#rest.subarray(0, KEPT_BYTES);
    }
    return [];
  }

  #split(bytes: Buffer): Line[] {
    const text = this.#withoutMark(bytes.toString('utf8'));
    const lines: Line[] = text.split('\n').map((line) => ({ text: line }));
    if (this.#overlong) lines[0] = { text: `${lines[0]?.text.slice(0, KEPT_BYTES)}…`, problem: TOO_LONG };
    if (!isUtf8(bytes)) markInvalid(bytes, lines);
    return lines;
  }

  #withoutMark(text: string): string {
    const unmarked = this.#first && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
    this.#first = false;
    return unmarked;
  }
}

function markInvalid(bytes: Buffer, lines: Line[]): void {
  let start = 0;
  for (const [index, line] of lines.entries()) {
    const found = bytes.indexOf(NEWLINE, start);
    const end = found === -1 ? bytes.length : found;
    if (!isUtf8(bytes.subarray(start, end)) && !line.problem) lines[index] = { text: line.text, problem: NOT_UTF8 };
    start = end + 1;
  }
}
