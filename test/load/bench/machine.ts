import { execFileSync } from 'node:child_process';
import os from 'node:os';

import { formatBytes } from '../../../src/cli/format.ts';

/** What the figures come from: without it they say nothing. */
export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly system: string;
  readonly node: string;
  readonly postgres: string;
  /** Null where none was used. */
  readonly redis: string | null;
  /**
   * Processes that wanted to run during the last minute, before the bench began: above 1 the
   * machine was not its alone.
   */
  readonly loadBefore: number;
}

export function describeMachine(postgres: string, usesRedis: boolean): Machine {
  return {
    processor: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: `Node.js ${process.versions.node}`,
    postgres,
    redis: usesRedis ? redisVersion() : null,
    loadBefore: os.loadavg()[0] ?? Number.NaN,
  };
}

export function machineLine(machine: Machine): string {
  const { processor, cores, memoryBytes, system, node, postgres, redis, loadBefore } = machine;
  const parts = [`${processor}, ${cores} cores, ${formatBytes(memoryBytes)}`, system, node, postgres];
  if (redis) parts.push(redis);
  return `${parts.join('; ')}; load before: ${loadBefore.toFixed(1)}`;
}

function redisVersion(): string {
  const said = execFileSync('redis-server', ['--version'], { encoding: 'utf8' });
  return `Redis ${/v=([\d.]+)/.exec(said)?.[1] ?? 'unknown'}`;
}
