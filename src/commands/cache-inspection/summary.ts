import { type KeptEntry, STATES, type State } from './kept-entry.ts';

/** The entries of one namespace. */
export interface NamespaceSummary {
  readonly namespace: string;
  entries: number;
  bytes: number;
  readonly states: Record<State, number>;
}

/** All entries counted, and the youngest of them. Its size does not depend on their number. */
export class Summary {
  readonly #namespaces = new Map<string, NamespaceSummary>();
  readonly #reasons = new Map<string, number>();
  #youngest: KeptEntry[] = [];

  /** @param limit entries that are shown one by one */
  constructor(private readonly limit: number) {}

  add(entries: readonly KeptEntry[]): void {
    for (const entry of entries) this.#count(entry);
    const all = [...this.#youngest, ...entries];
    this.#youngest = all.sort((a, b) => (a.ageMs ?? 0) - (b.ageMs ?? 0)).slice(0, this.limit);
  }

  get namespaces(): NamespaceSummary[] {
    return [...this.#namespaces.values()].sort((a, b) => (a.namespace < b.namespace ? -1 : 1));
  }

  /** Why entries are old, the most frequent first. */
  get reasons(): { readonly reason: string; readonly entries: number }[] {
    return [...this.#reasons].map(([reason, entries]) => ({ reason, entries })).sort((a, b) => b.entries - a.entries);
  }

  get youngest(): readonly KeptEntry[] {
    return this.#youngest;
  }

  #count({ namespace, bytes, state, changed }: KeptEntry): void {
    let summary = this.#namespaces.get(namespace);
    if (!summary) {
      const none = Object.fromEntries(STATES.map((each) => [each, 0])) as Record<State, number>;
      summary = { namespace, entries: 0, bytes: 0, states: none };
      this.#namespaces.set(namespace, summary);
    }
    summary.entries++;
    summary.bytes += bytes;
    summary.states[state]++;
    for (const reason of changed) this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
  }
}
