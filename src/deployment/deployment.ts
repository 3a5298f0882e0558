import { Figures } from '../monitoring/figures.ts';
import { addSnapshot, snapshotOf } from '../monitoring/figures-snapshot.ts';
import type { Monitor } from '../monitoring/monitor.ts';
import { byOperator } from '../tenancy/connection-turns.ts';
import type { TenantDatabase } from '../tenancy/tenant-database.ts';
import { readMinutes, type ServiceMinute } from './minute.repository.ts';
import type { OwnProcess, ServiceProcess } from './own-process.ts';
import { readProcesses } from './process.repository.ts';

/** Figures, and the processes that they are of. */
export interface CountedFigures {
  readonly figures: Figures;
  /** By their start. */
  readonly processes: readonly ServiceProcess[];
}

/** The processes of the deployment, this one among them. */
export class Deployment {
  constructor(
    readonly own: OwnProcess,
    private readonly monitor: Monitor,
    private readonly database: TenantDatabase,
  ) {}

  /** The figures of this process alone. */
  ofProcess(): CountedFigures {
    return { figures: this.monitor, processes: [this.own.now()] };
  }

  /**
   * The figures of all processes that live, added up: of this one as they are, of the others as
   * they wrote them some seconds ago. Those of a release that writes them in another form are left
   * out.
   * @param request which it ends with, as the tenant scopes of other statements carry it
   */
  async ofAll(request: object): Promise<CountedFigures> {
    const { id } = this.own.identity;
    const others = await this.database.withConnection(
      (connection) => readProcesses(connection, id),
      byOperator(request),
    );
    const figures = new Figures();
    addSnapshot(figures, snapshotOf(this.monitor));
    const added = others.filter((other) => addSnapshot(figures, other.figures));
    const processes = [this.own.now(), ...added.map(({ process }) => process)];
    return { figures, processes: processes.sort((a, b) => Number(a.startedAt) - Number(b.startedAt)) };
  }

  /** The last minutes in which a process served, the oldest first. */
  minutes(minutes: number, request: object): Promise<readonly ServiceMinute[]> {
    return this.database.withConnection((connection) => readMinutes(connection, minutes), byOperator(request));
  }
}
