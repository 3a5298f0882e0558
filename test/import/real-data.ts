import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe } from 'vitest';

const DATA_FOLDER = path.resolve(
  process.env.TENANTRY_DATA ?? path.resolve(import.meta.dirname, '../../../shared/data'),
);

/** Tests on the real data, which is not part of the repository. */
export function describeWithRealData(name: string, tests: (folder: string) => void): void {
  const folder = path.join(DATA_FOLDER, name);
  if (existsSync(folder)) return void describe(`the real data of ${name}`, () => tests(folder));
  console.warn(
    `left out: the real data of ${name}, since ${folder} does not exist. TENANTRY_DATA names the folder of it.`,
  );
  describe.skip(`the real data of ${name}`, () => {});
}

/** A line's fields by column; for files that are known to have no quotes. */
export type Row = Readonly<Record<string, string>>;

/** The rows of a table, of all its parts. */
export function readTable(folder: string, table: string): Row[] {
  const files = readdirSync(folder).filter((name) => name.startsWith(`${table}.`));
  return files.sort().flatMap((name) => {
    const [header = '', ...lines] = gunzipSync(readFileSync(path.join(folder, name)))
      .toString()
      .trimEnd()
      .split('\n');
    const columns = header.split(',');
    return lines.map((line) => Object.fromEntries(line.split(',').map((field, index) => [columns[index], field])));
  });
}

/** A decimal as ten-thousandths, exactly. */
export function tenThousandths(decimal: string): bigint {
  const [whole = '', fraction = ''] = decimal.split('.');
  return BigInt(whole + fraction.padEnd(4, '0'));
}
