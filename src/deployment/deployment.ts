import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { Figures } from '../monitoring/figures.ts';
import { addSnapshot, snapshotOf } from '../monitoring/figures-snapshot.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import { byOperator } from '../tenancy/connection-turns.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import { readMinutes, type ServiceMinute } from './minute.repository.ts';
import type { OwnProcess, ServiceProcess } from './own-process.ts';
import { type Connection, findProcesses } from './process.repository.ts';

/** A sum is shown again for so long: reading and adding takes milliseconds for each process. */
const KEPT_MS = 1_000;
/** Processes whose damaged rows are remembered as logged. */
const MAX_LOGGED = 200;

/** Figures, and the processes that they are of. */
export interface CountedFigures {
  readonly figures: Figures;
  /** By their start. */
  readonly processes: readonly ServiceProcess[];
}

/** The processes of the deployment, this one among them. */
export class Deployment {
  #adding: Promise<CountedFigures> | undefined;
  #last: { readonly sum: CountedFigures; readonly atMs: number } | undefined;
  readonly #logged = new LRUCache<string, true>({ max: MAX_LOGGED });

  constructor(
    readonly own: OwnProcess,
    private readonly monitor: Monitor,
    private readonly database: TenantDatabase,
    private readonly logger: Pick<Logger, 'warn'>,
    private readonly now = () => performance.now(),
  ) {}

  /** The figures of this process alone. */
  ofProcess(): CountedFigures {
    return { figures: this.monitor, processes: [this.own.now()] };
  }

  /**
   * The figures of all processes that live, added up: of this one as they were within the last
   * second, of the others as they wrote them some seconds ago. Those of a release that writes them
   * in another form are left out, and a row that is damaged, which the log is told of once. Added
   * up once for all who ask within a second.
   * @throws when the database cannot be read; the next who asks reads it again
   */
  async ofAll(): Promise<CountedFigures> {
    if (this.#last && this.now() - this.#last.atMs < KEPT_MS) return this.#last.sum;
    this.#adding ??= this.#add().finally(() => {
      this.#adding = undefined;
    });
    return this.#adding;
  }

  /** The last minutes in which a process served, the oldest first. */
  minutes(minutes: number, request: object): Promise<readonly ServiceMinute[]> {
    return this.database.withConnection((connection) => readMinutes(connection, minutes), byOperator(request));
  }

  async #add(): Promise<CountedFigures> {
    // Of no request: others wait for the sum as well, and whoever asked first may leave.
    const sum = await this.database.withConnection((connection) => this.#sum(connection), byOperator({}));
    this.#last = { sum, atMs: this.now() };
    return sum;
  }

  async #sum(connection: Connection): Promise<CountedFigures> {
    const figures = new Figures();
    addSnapshot(figures, snapshotOf(this.monitor));
    const processes = [this.own.now()];
    for await (const { id, read } of findProcesses(connection, this.own.identity.id)) {
      const written = await read().catch((error: Error) => this.#leaveOut(id, error));
      if (written) {
        addSnapshot(figures, written.figures);
        processes.push(written.process);
      }
      await setImmediate(); // requests go on between two of them
    }
    return { figures, processes: processes.sort((a, b) => Number(a.startedAt) - Number(b.startedAt)) };
  }

  #leaveOut(id: string, error: Error): null {
    if (!this.#logged.has(id))
      this.logger.warn(
        { process: id, reason: error.message },
        'the row of a process in service_processes is damaged: the figures of the deployment are without it',
      );
    this.#logged.set(id, true);
    return null;
  }
}
