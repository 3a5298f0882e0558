import { AggregatorRegistry } from 'prom-client';
import type { ShownMetrics } from '../app/metrics.ts';
import { addUp, dearest, TOP_TENANTS } from '../app/tenant-totals.ts';
import { BoundedRegistry } from '../monitoring/bounded-registry.ts';
import { MAX_OPERATIONS } from '../monitoring/figures.ts';
import { MAX_TENANT_TOTALS } from '../monitoring/usage-counts.ts';
import type { Figures, ProcessFigures } from './worker-messages.ts';

/** These must never fall; all others are gone with the worker that they speak of. */
const COUNTING: readonly string[] = ['counter', 'histogram'];

/**
 * The figures of all workers together. What a worker that died had counted, as far as it was read
 * before, stays: a sum that falls would be taken for a restart of the service, and everything it
 * holds for new. However many workers there were, it is bounded like the figures of one process:
 * further names of operations share one, and of tenants those with the fewest points are forgotten.
 */
export class WorkerFigures {
  #ended: ProcessFigures = { figures: [], tenants: [] };
  readonly #last = new Map<number, ProcessFigures>();
  /** The only label that clients name; names stay with it, so that no series falls. */
  readonly #operations = new BoundedRegistry(MAX_OPERATIONS, (name) => name);

  /** @param worker its number */
  serves(worker: number): void {
    this.#last.set(worker, { figures: [], tenants: [] });
  }

  /** Those of a worker that does not serve, or no more, come too late: they are counted by then. */
  keep(worker: number, { figures, tenants }: ProcessFigures): void {
    if (!this.#last.has(worker)) return;
    this.#last.set(worker, { figures: this.#bounded(figures), tenants });
  }

  ended(worker: number): void {
    const last = this.#last.get(worker);
    this.#last.delete(worker);
    if (!last) return;
    const counted = last.figures.filter(({ type }) => COUNTING.includes(String(type)));
    this.#ended = {
      // These hold their values: they are no longer read from anywhere.
      figures: AggregatorRegistry.aggregate([this.#ended.figures, counted]).getMetricsAsArray() as Figures,
      tenants: dearest(addUp([this.#ended.tenants, last.tenants]), MAX_TENANT_TOTALS),
    };
  }

  /** @param own of who keeps the workers */
  async shown(own: Figures = []): Promise<ShownMetrics> {
    const all = [this.#ended, ...this.#last.values()];
    const registry = AggregatorRegistry.aggregate([...all.map(({ figures }) => figures), own]);
    const tenants = dearest(addUp(all.map(({ tenants }) => tenants)), TOP_TENANTS);
    return { text: await registry.metrics(), tenants };
  }

  #bounded(figures: Figures): Figures {
    return figures.map((metric) => ({
      ...metric,
      values: metric.values.map((value) => {
        const { operation } = value.labels;
        if (operation === undefined) return value;
        return { ...value, labels: { ...value.labels, operation: this.#operations.entry(String(operation)) } };
      }),
    }));
  }
}
