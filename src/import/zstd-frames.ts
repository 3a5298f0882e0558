/** Magic numbers and sizes: RFC 8878, section 3. */
const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const SKIPPABLE_MASK = 0xfffffff0;
const BLOCK_RLE = 1;
const BLOCK_RESERVED = 3;

/**
 * What the walk over the format wants next: so many bytes to look at, or to pass by; or it stands
 * between two frames.
 */
type Wish = { readonly take: number } | { readonly skip: number } | 'between frames';

/** A stretch of compressed bytes of one frame. */
export interface FramePiece {
  readonly bytes: Buffer;
  /** Whether the frame ends with it. */
  readonly last: boolean;
}

/**
 * Cuts a zstd stream into its frames without decompressing it. Node's own decompressor stops after
 * the first frame, in silence or with an error by version, and takes a stream that is cut off for a
 * whole one; this knows both.
 */
export class FrameCutter {
  readonly #walk = walk();
  #wish = next(this.#walk);
  /** Bytes gathered for a `take`. */
  #taken = Buffer.alloc(0);
  /** Bytes passed by of a `skip`. */
  #skipped = 0;

  /** @throws Error when it is not zstd */
  push(chunk: Buffer): FramePiece[] {
    const pieces: FramePiece[] = [];
    let start = 0;
    for (let position = 0; position < chunk.length; ) {
      if (this.#wish === 'between frames') this.#wish = next(this.#walk);
      position += this.#feed(chunk.subarray(position));
      if (this.#wish !== 'between frames') continue;
      pieces.push({ bytes: chunk.subarray(start, position), last: true });
      start = position;
    }
    if (start < chunk.length) pieces.push({ bytes: chunk.subarray(start), last: false });
    return pieces;
  }

  /** Whether all that came are whole frames. */
  get complete(): boolean {
    return this.#wish === 'between frames';
  }

  /** @returns how many of the bytes it used */
  #feed(bytes: Buffer): number {
    if (this.#wish === 'between frames') return 0;
    return 'take' in this.#wish ? this.#take(bytes, this.#wish.take) : this.#skip(bytes, this.#wish.skip);
  }

  #take(bytes: Buffer, wanted: number): number {
    const part = bytes.subarray(0, wanted - this.#taken.length);
    this.#taken = Buffer.concat([this.#taken, part]);
    if (this.#taken.length === wanted) this.#goOn(this.#taken);
    return part.length;
  }

  #skip(bytes: Buffer, wanted: number): number {
    const used = Math.min(bytes.length, wanted - this.#skipped);
    this.#skipped += used;
    if (this.#skipped === wanted) this.#goOn(Buffer.alloc(0));
    return used;
  }

  #goOn(bytes: Buffer): void {
    this.#taken = Buffer.alloc(0);
    this.#skipped = 0;
    this.#wish = next(this.#walk, bytes);
  }
}

/** The next wish that needs bytes at all. */
function next(walker: Generator<Wish, never, Buffer>, bytes: Buffer = Buffer.alloc(0)): Wish {
  let wish = walker.next(bytes).value;
  while (wish !== 'between frames' && 'skip' in wish && wish.skip === 0) wish = walker.next(Buffer.alloc(0)).value;
  return wish;
}

function* walk(): Generator<Wish, never, Buffer> {
  for (;;) {
    yield 'between frames';
    const magic = (yield { take: 4 }).readUInt32LE();
    if ((magic & SKIPPABLE_MASK) >>> 0 === SKIPPABLE_MAGIC) yield { skip: (yield { take: 4 }).readUInt32LE() };
    else if (magic === FRAME_MAGIC) yield* walkFrame();
    else throw new Error('it is not zstd, or something else follows it');
  }
}

function* walkFrame(): Generator<Wish, void, Buffer> {
  const descriptor = (yield { take: 1 }).readUInt8();
  yield { skip: headerSize(descriptor) };
  for (let last = false; !last; ) {
    const header = (yield { take: 3 }).readUIntLE(0, 3);
    const type = (header >> 1) & 3;
    if (type === BLOCK_RESERVED) throw new Error('it is damaged');
    last = (header & 1) === 1;
    yield { skip: type === BLOCK_RLE ? 1 : header >> 3 };
  }
  const hasChecksum = (descriptor >> 2) & 1;
  yield { skip: hasChecksum * 4 };
}

/** Bytes of the frame's header after the descriptor: window, dictionary, content size. */
function headerSize(descriptor: number): number {
  const singleSegment = (descriptor >> 5) & 1;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const contentSizeBytes = [singleSegment, 2, 4, 8][descriptor >> 6] ?? 0;
  return 1 - singleSegment + dictionaryBytes + contentSizeBytes;
}
