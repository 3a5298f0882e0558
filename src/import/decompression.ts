import { createReadStream } from 'node:fs';
import { pipeline, Readable, type Transform } from 'node:stream';
import zlib from 'node:zlib';
import { Decompress } from 'fzstd';

import { type ImportFile, unreadable } from './import-files.ts';
import { FrameCutter, type FramePiece } from './zstd-frames.ts';

/** Larger than Node's defaults (64 and 16 KiB): fewer turns between the threads. */
const CHUNK_BYTES = 256 * 1024;

/**
 * Node.js has zstd from 22.15 on; the types installed are those of the oldest supported version.
 */
const { createZstdDecompress } = zlib as unknown as { createZstdDecompress?: () => Transform };

/**
 * A file's content, decompressed, in chunks.
 * @param onBytesRead told how many bytes of the file, as it lies on the disk, were read just now
 * @throws OperatorError when the file cannot be read, is damaged or is cut off
 */
export async function* readDecompressed(
  file: ImportFile,
  onBytesRead: (bytes: number) => void = () => {},
): AsyncGenerator<Buffer> {
  const source = createReadStream(file.path, { highWaterMark: CHUNK_BYTES });
  try {
    yield* decompress(counted(source, onBytesRead), file);
  } catch (cause) {
    throw unreadable(file.path, reasonOf(cause), cause);
  } finally {
    source.destroy();
  }
}

async function* counted(source: Readable, onBytesRead: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of source as AsyncIterable<Buffer>) {
    onBytesRead(chunk.length);
    yield chunk;
  }
}

function decompress(compressed: AsyncGenerator<Buffer>, { compression }: ImportFile): AsyncIterable<Buffer> {
  if (compression === 'none') return compressed;
  if (compression === 'gzip') return through(compressed, zlib.createGunzip({ chunkSize: CHUNK_BYTES }));
  return createZstdDecompress
    ? unzstdByFrame(cutFrames(compressed), createZstdDecompress)
    : unzstd(cutFrames(compressed));
}

function through(source: AsyncIterable<Buffer>, transform: Transform): AsyncIterable<Buffer> {
  // An error of the source destroys the transform with it, so that whoever reads there gets it.
  return pipeline(Readable.from(source, { objectMode: false }), transform, () => {});
}

async function* cutFrames(compressed: AsyncIterable<Buffer>): AsyncGenerator<FramePiece> {
  const cutter = new FrameCutter();
  for await (const chunk of compressed) yield* cutter.push(chunk);
  if (!cutter.complete) throw new Error('it is cut off');
}

/**
 * Node's own decompressor, a fresh one for each frame (see FrameCutter). It checks the frame's
 * checksum.
 */
async function* unzstdByFrame(pieces: AsyncGenerator<FramePiece>, create: () => Transform): AsyncGenerator<Buffer> {
  for (let first = await pieces.next(); !first.done; first = await pieces.next()) {
    yield* through(oneFrame(first.value, pieces), create());
  }
}

async function* oneFrame(first: FramePiece, pieces: AsyncGenerator<FramePiece>): AsyncGenerator<Buffer> {
  for (let piece = first; ; ) {
    yield piece.bytes;
    if (piece.last) return;
    const next = await pieces.next();
    if (next.done) return;
    piece = next.value;
  }
}

/**
 * For Node.js without zstd. It knows no checksums: of a damaged file it sees only what breaks the
 * format.
 */
async function* unzstd(pieces: AsyncGenerator<FramePiece>): AsyncGenerator<Buffer> {
  const chunks: Buffer[] = [];
  const decompressor = new Decompress((chunk) => chunks.push(Buffer.from(chunk)));
  for await (const { bytes } of pieces) {
    decompressor.push(bytes);
    yield* chunks.splice(0);
  }
}

function reasonOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'Z_BUF_ERROR') return 'it is cut off';
  if (code === 'Z_DATA_ERROR') return `it is damaged (${message})`;
  return message;
}
