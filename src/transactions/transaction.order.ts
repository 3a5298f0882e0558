import { instantText } from '../database/sql-text.ts';
import { Prisma } from '../generated/prisma/client.ts';
import type { KeysetOrder } from '../paging/keyset.ts';

const { sql } = Prisma;

/** Newest first; equal instants by id, the younger first. */
export const NEWEST_FIRST: KeysetOrder = {
  name: 'BOOKED_AT',
  column: sql`booked_at`,
  text: instantText(sql`booked_at`),
  type: sql`timestamptz`,
  descending: true,
};
