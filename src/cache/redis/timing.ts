/**
 * How long a poll of the outbox, once it was told to all, lets the versions be trusted. Whatever
 * was committed before the poll is in them; so this is also the oldest that an answer can be when
 * the following fails.
 */
export const LEASE_MS = 800;
/** How often the lease is renewed while nothing is written. */
export const RENEW_MS = 50;
/**
 * How often a process reads the lease: several readings may fail, or come late, before it stops
 * trusting.
 */
export const READ_LEASE_MS = 100;
/** Between polls while there are writes. */
export const MIN_PAUSE_MS = 10;
/** Between polls while there are none: with the poll and the bump well below 50 ms. */
export const MAX_PAUSE_MS = 25;
/** How often a process on standby tries to become the outbox relay. */
export const ELECTION_MS = 250;
/** Clocks that do not run quite alike, and the way of a message. */
export const MARGIN_MS = 100;
/**
 * How long rows of the outbox stay at least. A reader that was away for longer takes everything for
 * old.
 */
export const RETENTION_MS = 30_000;
export const CLEANING_MS = 5_000;
/**
 * How long a process may take a tenant's versions for current without asking Redis again. A write
 * waits so long at most for a process that has died, or does not hear.
 */
export const VERSIONS_LEASE_MS = 250;
