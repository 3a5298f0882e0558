import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { LineSplitter } from '../../src/import/csv-lines.ts';
import { type CsvRecord, RecordReader } from '../../src/import/csv-records.ts';

/** Reads bytes that come in chunks of this size. */
function read(content: string | Buffer, chunkBytes = 1 << 20): CsvRecord[] {
  const bytes = Buffer.from(content as string);
  const lines = new LineSplitter();
  const reader = new RecordReader();
  const records: CsvRecord[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    records.push(...reader.push(lines.push(bytes.subarray(at, at + chunkBytes))));
  }
  return [...records, ...reader.end(lines.end())];
}

const fieldsOf = (records: readonly CsvRecord[]) => records.map(({ fields }) => fields);
const fieldText = fc.string({
  unit: fc.constantFrom('a', 'é', '😀', ' ', ',', '"', '\n', '\r', '\t', '\\'),
  maxLength: 6,
});
const rows = fc.array(fc.array(fieldText, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 8 });

/** Quotes what must be, and what need not be when the field is long enough. */
const write = (row: readonly string[]) =>
  row
    .map((field) => (/[",\n\r]/.test(field) || field.length > 4 ? `"${field.replaceAll('"', '""')}"` : field))
    .join(',');

describe('rows of a CSV file', () => {
  test('are read as csv-parse reads them, wherever the chunks are cut', () => {
    fc.assert(
      fc.property(rows, fc.integer({ min: 1, max: 40 }), (table, chunkBytes) => {
        const content = table.map((row) => `${write(row)}\n`).join('');
        const expected: string[][] = parse(content, { relax_column_count: true, record_delimiter: '\n' });
        expect(fieldsOf(read(content, chunkBytes))).toEqual(expected);
      }),
    );
  });

  test('carry the number of the physical line they begin on, and their text as it stands', () => {
    expect(read('h,i\n1,"two\nlines"\n\n3,"4 ""5"""\n')).toEqual([
      { line: 1, raw: 'h,i', fields: ['h', 'i'] },
      { line: 2, raw: '1,"two\nlines"', fields: ['1', 'two\nlines'] },
      { line: 5, raw: '3,"4 ""5"""', fields: ['3', '4 "5"'] },
    ]);
  });

  test('may end with CR LF, and the last one with nothing', () => {
    expect(fieldsOf(read('a,b\r\n"c\r\nd",e\r\nf,g'))).toEqual([
      ['a', 'b'],
      ['c\r\nd', 'e'],
      ['f', 'g'],
    ]);
  });

  test('may follow a byte order mark', () => {
    expect(fieldsOf(read('\ufeffa,b\n', 2))).toEqual([['a', 'b']]);
  });

  test.each([
    ['a quote that is never closed', '1,"a', '2,b'],
    ['a quote within a field', '1,a"b', '2,b'],
    ['text after the closing quote', '1,"a"b', '2,b'],
    ['a quote that a later row seems to close', '1,"a', '2,"b"'],
    ['a quote after a space', '1, "a"', '2,b'],
  ])('with %s are bad by themselves and do not take the next row with them', (_, bad, good) => {
    const [first, second, third] = read(`${bad}\n${good}\n3,c\n`);
    expect(first).toMatchObject({ line: 1, raw: bad, fields: [], problem: expect.stringContaining('quote') });
    expect(second).toMatchObject({ line: 2, raw: good });
    expect(third).toEqual({ line: 3, raw: '3,c', fields: ['3', 'c'] });
  });

  test('after an open quote are all read, however many follow', () => {
    const rowsAfter = Array.from({ length: 20_000 }, (_, index) => `${index},x`);
    const [header, bad, ...rest] = read(['a,b', '1,"open', ...rowsAfter].join('\n'), 1000);
    expect(header?.fields).toEqual(['a', 'b']);
    expect(bad).toMatchObject({ line: 2, raw: '1,"open' });
    expect(rest.map(({ raw }) => raw)).toEqual(rowsAfter);
    expect(rest.at(-1)?.line).toBe(20_002);
  });

  test('with invalid UTF-8 are bad by themselves', () => {
    const content = Buffer.concat([Buffer.from('é,1\n'), Buffer.from([0xe9, 0x2c, 0x32, 0x0a]), Buffer.from('ü,3\n')]);
    expect(read(content)).toEqual([
      { line: 1, raw: 'é,1', fields: ['é', '1'] },
      { line: 2, raw: '\ufffd,2', fields: [], problem: 'the line is not valid UTF-8' },
      { line: 3, raw: 'ü,3', fields: ['ü', '3'] },
    ]);
  });

  test('may have characters that a chunk cuts through', () => {
    expect(fieldsOf(read('😀,é\n', 1))).toEqual([['😀', 'é']]);
  });

  test('that go on for longer than any valid row are bad, and little is kept of them', () => {
    const [first, second] = read(`${'x'.repeat(300_000)}\n1,a\n`, 10_000);
    expect(first).toMatchObject({ line: 1, fields: [], problem: 'the line is longer than 65536 bytes' });
    expect(first?.raw.length).toBeLessThan(300);
    expect(second).toEqual({ line: 2, raw: '1,a', fields: ['1', 'a'] });
  });
});
