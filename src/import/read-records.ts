import { LineSplitter } from './csv-lines.ts';
import { type CsvRecord, RecordReader } from './csv-records.ts';
import { readDecompressed } from './decompression.ts';
import type { ImportFile } from './import-files.ts';

/**
 * The records of a file in order, its header first, some hundreds at a time: a turn of the event
 * loop for each of a million rows would cost more than reading them.
 * @param onBytesRead told how many bytes of the file, as it lies on the disk, were read just now
 */
export async function* readRecords(
  file: ImportFile,
  onBytesRead?: (bytes: number) => void,
): AsyncGenerator<readonly CsvRecord[]> {
  const lines = new LineSplitter();
  const records = new RecordReader();
  for await (const chunk of readDecompressed(file, onBytesRead)) yield records.push(lines.push(chunk));
  yield records.end(lines.end());
}
