import { type Dirent, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

import { OperatorError } from '../errors.ts';

export const IMPORT_TABLES = ['tenants', 'accounts', 'transactions'] as const;
export type ImportTable = (typeof IMPORT_TABLES)[number];

/**
 * What may be mistaken for one of the files, so that a misspelt part is not left out in silence.
 */
const LOOKS_MEANT = /^(tenants|accounts|transactions).*\.csv(\.(gz|zst|zstd|bz2|xz|zip|br|lz4|7z))?$/i;
const NAME = /^(tenants|accounts|transactions)(?:\.part([1-9]\d*))?\.csv(?:\.(gz|zst))?$/;

export type Compression = 'none' | 'gzip' | 'zstd';

/** One file of an import. */
export interface ImportFile {
  readonly table: ImportTable;
  readonly name: string;
  readonly path: string;
  readonly compression: Compression;
  /** Its size as it lies on the disk. */
  readonly bytes: number;
}

interface NamedFile {
  readonly file: ImportFile;
  /** 1, 2, …; undefined for a table in one file. */
  readonly part: number | undefined;
}

/**
 * The files of an import, in the order in which they are to be read.
 * @throws OperatorError when the folder lacks a table or a part, has one twice, or has files that
 *   look meant but are not
 */
export function findImportFiles(folder: string): ImportFile[] {
  const entries = namesIn(folder);
  const files = entries.flatMap((name) => readName(folder, name) ?? []);
  refuseMisnamed(
    folder,
    entries.filter((name) => LOOKS_MEANT.test(name) && !NAME.test(name)),
  );
  return IMPORT_TABLES.flatMap((table) =>
    inOrder(
      folder,
      table,
      files.filter(({ file }) => file.table === table),
    ),
  );
}

function namesIn(folder: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    throw new OperatorError(
      `The folder ${folder} cannot be read: ${(cause as Error).message}.`,
      'Name the folder that holds tenants.csv, accounts.csv and transactions.csv (.gz or .zst allowed).',
      { cause },
    );
  }
  return entries.map(({ name }) => name).sort();
}

function readName(folder: string, name: string): NamedFile | undefined {
  const [, table, part, extension] = NAME.exec(name) ?? [];
  if (!table) return undefined;
  const file = path.join(folder, name);
  const compression = extension === 'gz' ? 'gzip' : extension === 'zst' ? 'zstd' : 'none';
  return {
    file: { table: table as ImportTable, name, path: file, compression, bytes: sizeOf(file) },
    part: part === undefined ? undefined : Number(part),
  };
}

function sizeOf(file: string): number {
  try {
    const stats = statSync(file);
    if (stats.isFile()) return stats.size;
  } catch (cause) {
    throw unreadable(file, (cause as Error).message, cause);
  }
  throw unreadable(file, 'it is not a regular file');
}

/** An error about a file that is there but cannot be read. */
export function unreadable(file: string, why: string, cause?: unknown): OperatorError {
  return new OperatorError(
    `${file} cannot be read: ${why}. Nothing was imported.`,
    'Check the file and its rights, or get it again.',
    { cause },
  );
}

function refuseMisnamed(folder: string, names: readonly string[]): void {
  if (names.length === 0) return;
  throw new OperatorError(
    `${folder} has files that look like part of the import but are not named so: ${names.join(', ')}.`,
    'Name them <table>.csv or <table>.part<N>.csv, N from 1 without leading zeros, then .gz or .zst if compressed; or move them away.',
  );
}

function inOrder(folder: string, table: ImportTable, files: readonly NamedFile[]): ImportFile[] {
  const names = files.map(({ file }) => file.name).join(', ');
  const parts = files.flatMap(({ part }) => part ?? []).sort((a, b) => a - b);
  if (files.length === 0)
    throw new OperatorError(
      `${folder} has no ${table}.csv, ${table}.csv.gz or ${table}.csv.zst, and no parts of it.`,
      'An import is all three tables: tenants, accounts and transactions. One without rows has its header line only.',
    );
  if (parts.length > 0 && parts.length < files.length)
    throw new OperatorError(`${folder} has ${table} whole and in parts: ${names}.`, 'Move one of the two away.');
  if (parts.length === 0 ? files.length > 1 : new Set(parts).size < parts.length)
    throw new OperatorError(`${folder} has the same file of ${table} twice: ${names}.`, 'Keep one of them.');
  const missing = parts.findIndex((part, index) => part !== index + 1);
  if (missing !== -1)
    throw new OperatorError(
      `${folder} lacks ${table}.part${missing + 1}, but has: ${names}.`,
      'Parts are numbered from 1 without gaps; get the missing one.',
    );
  return [...files].sort((a, b) => (a.part ?? 0) - (b.part ?? 0)).map(({ file }) => file);
}
