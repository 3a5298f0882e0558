import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { MAX_INTEGER } from '../limits.ts';
import { type Check, formOf, isAmount, isBoolean, orNull } from '../monitoring/value-checks.ts';
import { projectVersion } from '../project-version.ts';

/** How a process is at a moment. */
export interface ProcessState {
  /** Null: the cache is off. */
  readonly cacheTrusted: boolean | null;
  readonly isRelay: boolean;
  /** Null: it polls no outbox. */
  readonly outboxLagMs: number | null;
  readonly memoryBytes: number;
  /** 1: one core was busy. */
  readonly cpu: number;
  readonly eventLoopP99Ms: number;
  readonly databaseConnections: number;
  readonly databaseQueueLength: number;
  readonly requestQueueLength: number;
}

const isCount: Check = (value) => isAmount(value) && Number.isInteger(value) && (value as number) <= MAX_INTEGER;

/** Whether it is the state of a process. */
export const isProcessState = formOf<ProcessState>({
  cacheTrusted: orNull(isBoolean),
  isRelay: isBoolean,
  outboxLagMs: orNull(isAmount),
  memoryBytes: isAmount,
  cpu: isAmount,
  eventLoopP99Ms: isAmount,
  databaseConnections: isCount,
  databaseQueueLength: isCount,
  requestQueueLength: isCount,
});

export interface ProcessIdentity {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly version: string;
  readonly startedAt: Date;
}

/** A process of the deployment, as it was when it was last seen. */
export interface ServiceProcess extends ProcessIdentity, ProcessState {
  readonly seenAt: Date;
}

/** This process. */
export class OwnProcess {
  readonly identity: ProcessIdentity;

  constructor(readonly state: () => ProcessState) {
    this.identity = {
      id: randomUUID(),
      host: hostname(),
      pid: process.pid,
      version: projectVersion(),
      startedAt: new Date(),
    };
  }

  now(): ServiceProcess {
    return { ...this.identity, ...this.state(), seenAt: new Date() };
  }
}
