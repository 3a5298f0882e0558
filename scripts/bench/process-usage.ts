import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * Fields of /proc/<pid>/stat after the program's name, which may hold spaces: utime and stime
 * (proc(5)).
 */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

let ticksPerSecond: number | undefined;

/**
 * CPU time that a process and all its threads have used, in microseconds. NaN where the system does
 * not tell.
 */
export function cpuMicros(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN;
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return ((Number(fields[USER_TICKS]) + Number(fields[SYSTEM_TICKS])) * 1_000_000) / ticksPerSecond;
}

/**
 * The largest memory a process has had since its start, in bytes. NaN where the system does not
 * tell.
 */
export function peakMemoryBytes(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN;
  const kibibytes = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return kibibytes === undefined ? Number.NaN : Number(kibibytes) * 1024;
}
