/**
 * What waits, by tenant, up to a number over all of them. When it is reached, the newest of the
 * tenant with the most gives way: one tenant's flood costs the others nothing.
 */
export class TenantBacklog<Item> {
  readonly #queues = new Map<string, Item[]>();
  #size = 0;

  constructor(private readonly max: number) {}

  /** How many wait, also those that `drain` has under way. */
  get size(): number {
    return this.#size;
  }

  get tenantIds(): string[] {
    return [...this.#queues.keys()];
  }

  /** @returns what gave way: that of another tenant, the given item itself, or nothing */
  push(tenantId: string, item: Item): Item | undefined {
    const own = this.#queues.get(tenantId) ?? [];
    if (this.#size >= this.max) {
      const longest = this.#longest();
      if (own.length >= longest.length) return item;
      this.#append(tenantId, own, item);
      this.#size--;
      return longest.pop();
    }
    this.#append(tenantId, own, item);
    return undefined;
  }

  /** Takes out what is due, in order. */
  take(isDue: (item: Item) => boolean): Item[] {
    const taken: Item[] = [];
    for (const [tenantId, queue] of this.#queues) {
      const rest = queue.filter((item) => !isDue(item));
      taken.push(...queue.filter(isDue));
      if (rest.length > 0) this.#queues.set(tenantId, rest);
      else this.#queues.delete(tenantId);
    }
    this.#size -= taken.length;
    return taken;
  }

  /**
   * Takes out what `work` does, in batches. The first that it throws for stays, with those behind.
   * @throws what `work` throws
   */
  async drain(tenantId: string, batch: number, work: (items: readonly Item[]) => Promise<void>): Promise<void> {
    const queue = this.#queues.get(tenantId) ?? [];
    for (let left = queue.length; left > 0; left -= batch) {
      // Not in the queue meanwhile, so that what is written does not give way to others as well.
      const items = queue.splice(0, Math.min(batch, left));
      if (items.length === 0) break; // they gave way meanwhile
      try {
        await work(items);
        this.#size -= items.length;
      } catch (error) {
        queue.unshift(...items);
        throw error;
      }
    }
    if (queue.length === 0) this.#queues.delete(tenantId);
  }

  #append(tenantId: string, own: Item[], item: Item): void {
    own.push(item);
    this.#queues.set(tenantId, own);
    this.#size++;
  }

  #longest(): Item[] {
    let longest: Item[] = [];
    for (const queue of this.#queues.values()) if (queue.length > longest.length) longest = queue;
    return longest;
  }
}
