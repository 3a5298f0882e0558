import { AggregatorRegistry } from 'prom-client';
import type { Figures } from './worker-messages.ts';

/** These must never fall; all others are gone with the worker that they speak of. */
const COUNTING: readonly string[] = ['counter', 'histogram'];

/**
 * The figures of all workers together. What a worker that died had counted, as far as it was read
 * before, stays: a sum that falls would be taken for a restart of the service, and everything it
 * holds for new.
 */
export class WorkerFigures {
  #ended: Figures = [];
  readonly #last = new Map<number, Figures>();

  /** @param worker its number */
  keep(worker: number, figures: Figures): void {
    this.#last.set(worker, figures);
  }

  ended(worker: number): void {
    const figures = this.#last.get(worker);
    this.#last.delete(worker);
    if (!figures) return;
    const counted = figures.filter(({ type }) => COUNTING.includes(String(type)));
    // These hold their values: they are no longer read from anywhere.
    this.#ended = AggregatorRegistry.aggregate([this.#ended, counted]).getMetricsAsArray() as Figures;
  }

  /**
   * In Prometheus' text format.
   * @param own of who keeps the workers
   */
  text(own: Figures = []): Promise<string> {
    return AggregatorRegistry.aggregate([this.#ended, ...this.#last.values(), own]).metrics();
  }
}
