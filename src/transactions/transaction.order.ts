import { Prisma } from '../generated/prisma/client.ts';
import type { KeysetOrder } from '../paging/keyset.ts';
import { instantText } from '../tenancy/sql-text.ts';

const { sql } = Prisma;

/** Newest first; equal instants by id, the younger first. */
export const NEWEST_FIRST: KeysetOrder = {
  name: 'BOOKED_AT',
  column: sql`booked_at`,
  text: instantText(sql`booked_at`),
  type: sql`timestamptz`,
  descending: true,
};
