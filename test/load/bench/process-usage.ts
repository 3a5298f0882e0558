import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/**
 * Fields of /proc/<pid>/stat after the program's name, which may hold spaces: utime and stime
 * (proc(5)).
 */
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;

const PARENT = 1;
/** Of children that have ended and were waited for. */
const CHILDRENS_USER_TICKS = 13;
const CHILDRENS_SYSTEM_TICKS = 14;

let ticksPerSecond: number | undefined;

/**
 * CPU time that a process and all its threads have used, in microseconds. NaN where the system does
 * not tell.
 */
export function cpuMicros(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN;
  return microsOf(statOf(pid), USER_TICKS, SYSTEM_TICKS);
}

/**
 * The same of a process with its children, also those that have ended: of PostgreSQL's first
 * process, of all of PostgreSQL. NaN where there is no such process.
 */
export function treeCpuMicros(pid: number): number {
  if (process.platform !== 'linux' || Number.isNaN(pid)) return Number.NaN;
  const own = microsOf(statOf(pid), USER_TICKS, SYSTEM_TICKS, CHILDRENS_USER_TICKS, CHILDRENS_SYSTEM_TICKS);
  const others = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return others.reduce((sum, name) => {
    const fields = statOrNone(Number(name));
    return fields?.[PARENT] === String(pid) ? sum + microsOf(fields, USER_TICKS, SYSTEM_TICKS) : sum;
  }, own);
}

/** The parent of a process. NaN where it is none of that program, as one of another machine. */
export function parentOf(pid: number, program: string): number {
  const fields = process.platform === 'linux' ? statOrNone(pid) : undefined;
  if (!fields || readFileSync(`/proc/${pid}/comm`, 'latin1').trim() !== program) return Number.NaN;
  return Number(fields[PARENT]);
}

function microsOf(fields: readonly string[], ...indexes: number[]): number {
  ticksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  return (indexes.reduce((sum, index) => sum + Number(fields[index]), 0) * 1_000_000) / ticksPerSecond;
}

function statOf(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function statOrNone(pid: number): string[] | undefined {
  try {
    return statOf(pid);
  } catch {
    return undefined; // it has ended
  }
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
