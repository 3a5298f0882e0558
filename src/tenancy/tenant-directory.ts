import { LRUCache } from 'lru-cache';
import type { TenantDatabase } from './tenant-database.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** How long a tenant that was found is remembered; one not found is looked for again. */
const REMEMBERED_MS = 10_000;
const MAX_REMEMBERED = 10_000;

export interface TenantEntry {
  readonly id: string;
  readonly slug: string;
  /** What its callers together may spend in a minute; null: the default. */
  readonly pointsPerMinute?: number | null;
}

/** Finds tenants by what a token or a command says of them: the id or the slug. */
export class TenantDirectory {
  readonly #database: TenantDatabase;
  readonly #remembered = new LRUCache<string, Promise<TenantEntry | null>>({ max: MAX_REMEMBERED, ttl: REMEMBERED_MS });

  constructor(database: TenantDatabase) {
    this.#database = database;
  }

  /** The tenant with this id or slug, or null. */
  async find(idOrSlug: string): Promise<TenantEntry | null> {
    let found = this.#remembered.get(idOrSlug);
    if (!found) {
      found = this.#read(idOrSlug);
      this.#remembered.set(idOrSlug, found);
      const forget = () => this.#remembered.delete(idOrSlug);
      found.then((tenant) => tenant ?? forget(), forget);
    }
    return found;
  }

  async #read(idOrSlug: string): Promise<TenantEntry | null> {
    const column = UUID.test(idOrSlug) ? 'id' : 'slug';
    const rows = await this.#database.directory<TenantEntry>(
      `SELECT id, slug, points_per_minute AS "pointsPerMinute" FROM tenants WHERE ${column} = $1`,
      [idOrSlug],
    );
    return rows[0] ?? null;
  }
}
