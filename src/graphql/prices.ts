import { LEAST_POINTS_PER_MINUTE } from '../config/config.ts';
import { DATABASE_MS_POINTS } from '../config/search-limits.ts';

/**
 * One point is about one microsecond of CPU, of the service and of PostgreSQL together. `npm run
 * bench -- --only prices` measures what each of these prices stands for; docs/performance.md has
 * the table. A value of the answer costs 1, the default of every field.
 *
 * This is the price of any operation that is executed, whatever it asks for: no budget is less.
 */
export const OPERATION_POINTS = LEAST_POINTS_PER_MINUTE;
/** A token of a document that nobody sent lately: it is parsed and validated. */
export const NEW_TOKEN_POINTS = 15;
/** An error beyond the first: of documents and variables there may be up to a hundred. */
export const ERROR_POINTS = 40;
/** A field of an operation that is compiled, since it comes again. */
export const COMPILED_FIELD_POINTS = 100;
/** A statement of its own: its way there and back, and its plan. */
export const STATEMENT_POINTS = 250;
/** The same by Prisma Client, which builds the statement and its rows. */
export const PRISMA_STATEMENT_POINTS = 900;
/** A transaction that writes. */
export const WRITE_POINTS = 2_000;
/** A transaction that is recorded, with its totals. */
export const TRANSACTION_POINTS = 100;
/** A row that is read and shown, or a day of kept totals, beside its values. */
export const ROW_POINTS = 4;
/**
 * A row that a filter looks at and does not let through; those that it lets through end a page or a
 * count.
 */
export const SCANNED_ROW_POINTS = 0.6;
/** A value of a type, a field or an argument that introspection shows. */
export const SCHEMA_VALUE_POINTS = 0.75;
/** A kept total that is added up. */
export const KEPT_TOTAL_POINTS = 0.4;
/** What sums cost, such as groups of accounts, beside the totals that they are made of. */
const SUM_POINTS = {
  /** By PostgreSQL, for one that is not kept. */
  read: 6,
  /** By the service, whether it is shown or only added up. */
  walked: 1,
  /** In each field that shows it. */
  shown: 4,
} as const;
export type SumWork = keyof typeof SUM_POINTS;
/** So many belong to the prices: of each reading and walk, and of all that an answer shows. */
const SUMS_IN_PRICE = 500;
/** Of the tenants that the prices of a dashboard and of a count of accounts stand for. */
const TOTALS_IN_PRICE = 1_000;
/** A page of one of the rows of a level, whose statement reads those of all. */
export const PROBE_POINTS = 20;
/** An answer from the cache: found and sent. */
export const HIT_POINTS = 40;
/** So many bytes of a kept answer are sent for that; the rest costs a point for each 512. */
const HIT_BYTES = 32 * 1024;
const BYTES_PER_HIT_POINT = 512;
/** A byte of an answer that is read and written anew to tell about itself. */
const REPORTED_BYTE_POINTS = 0.02;
/** A byte of an answer that was computed costs this at least, whatever its fields are priced at. */
const ANSWER_BYTE_POINTS = 0.03;
/** Of searches, which take longer beside others: so much belongs to their price. */
const PRICED_SEARCH_MS = 50;
/**
 * A byte of a request that is decoded: what JSON takes at worst, as for many names or deep lists.
 * Ordinary JSON takes a fifth.
 */
const READ_BYTE_POINTS = 0.1;
/** Those of an ordinary request belong to the price of its operation. */
const FREE_BYTES = 2_048;

/**
 * A small piece of a body that comes in chunks: whatever is asked for, and however short it is. A
 * client that streams has few.
 */
const PIECE_POINTS = 4;
const FREE_PIECES = 16;

/** What it costs that a body came in pieces. */
export function piecesPoints(smallPieces: number): number {
  return Math.max(0, smallPieces - FREE_PIECES) * PIECE_POINTS;
}

/** What it costs to read a request that the process does not remember. */
export function readingPoints(bytes: number): number {
  return Math.max(0, Math.ceil((bytes - FREE_BYTES) * READ_BYTE_POINTS));
}

/**
 * What a statement costs beside its price when it turned out to add up so many kept totals. To know
 * before would take one more statement.
 */
export function totalsBeyondPrice(totals: number): number {
  return Math.max(0, Math.ceil((totals - TOTALS_IN_PRICE) * KEPT_TOTAL_POINTS));
}

/** Likewise for sums. */
export function sumsBeyondPrice(work: SumWork, sums: number): number {
  return Math.max(0, sums - SUMS_IN_PRICE) * SUM_POINTS[work];
}

/** @param bytes of the kept answer */
export function hitPoints(bytes: number): number {
  return bytes <= HIT_BYTES ? HIT_POINTS : HIT_POINTS + Math.ceil((bytes - HIT_BYTES) / BYTES_PER_HIT_POINT);
}

/** @param bytes of the answer into which a report is put, kept or not */
export function reportPoints(bytes: number): number {
  return Math.ceil(bytes * REPORTED_BYTE_POINTS);
}

/**
 * What an answer costs at least: prices take lists whose length is not known for as long as they
 * usually are.
 * @param databaseMs of statements that took longer than their price says, or that nobody waited for
 */
export function leastPoints(bytes: number, databaseMs: number): number {
  return Math.ceil(Math.max(bytes * ANSWER_BYTE_POINTS, databaseMs * DATABASE_MS_POINTS));
}

/**
 * Searches are priced by how many rows the average account has: one that has most of its tenant's
 * takes longer.
 */
export function searchMsBeyondPrice(searchMs: number): number {
  return Math.max(0, searchMs - PRICED_SEARCH_MS);
}
