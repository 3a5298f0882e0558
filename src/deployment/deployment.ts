import type { LatencyHistogram } from '../latency-histogram.ts';
import type { Figures } from '../monitoring/figures.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import type { OwnProcess, ServiceProcess } from './own-process.ts';

/** Figures, and the processes that they are of. */
export interface CountedFigures {
  readonly figures: Figures;
  readonly processes: readonly ServiceProcess[];
}

/** What all processes counted in a minute. */
export interface ServiceMinute {
  readonly start: Date;
  readonly processes: number;
  readonly requests: number;
  readonly hits: number;
  readonly misses: number;
  readonly bypasses: number;
  readonly errors: number;
  readonly refusals: number;
  readonly latency: LatencyHistogram;
  readonly hitLatency: LatencyHistogram;
  readonly statements: number;
  readonly databaseMs: number;
  readonly untrusted: boolean;
}

/** The processes of the deployment, this one among them. */
export class Deployment {
  constructor(
    readonly own: OwnProcess,
    private readonly monitor: Monitor,
    readonly database: TenantDatabase,
  ) {}

  /** The figures of this process alone. */
  ofProcess(): CountedFigures {
    return { figures: this.monitor, processes: [this.own.now()] };
  }

  /**
   * The figures of all processes that live, added up.
   * @param request which it ends with, as the tenant scopes of other statements carry it
   */
  async ofAll(_request: object): Promise<CountedFigures> {
    return this.ofProcess();
  }

  /** The last minutes in which a process served, the oldest first. */
  async minutes(_minutes: number, _request: object): Promise<readonly ServiceMinute[]> {
    return [];
  }
}
