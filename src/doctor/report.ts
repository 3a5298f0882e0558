import { printable } from '../cli/format.ts';
import { counted } from '../counted.ts';
import type { Result, Status } from './check.ts';

const SHOWN: Readonly<Record<Status, string>> = {
  ok: 'ok',
  warning: 'warning',
  fault: 'FAULT',
  skipped: 'not looked at',
};

/** One line for each finding, and below it what to do: mostly one line. */
export function reportText(results: readonly Result[]): string {
  const width = (texts: readonly string[]) => Math.max(...texts.map((text) => text.length));
  const name = width(results.map((result) => result.name));
  const status = width(Object.values(SHOWN));
  const lines = results.map((result) => {
    const line = `${result.name.padEnd(name)}  ${SHOWN[result.status].padEnd(status)}  ${printable(result.found)}`;
    if (!result.remedy) return line;
    const indent = ' '.repeat(name + status + 4);
    const remedy = result.remedy.split('\n').map(printable).join(`\n${indent}   `);
    return `${line}\n${indent}-> ${remedy}`;
  });
  const count = (of: Status) => results.filter((result) => result.status === of).length;
  const sum = [
    counted(count('fault'), 'fault'),
    counted(count('warning'), 'warning'),
    `${count('ok')} ok`,
    `${count('skipped')} not looked at`,
  ].join(', ');
  return `${lines.join('\n')}\n\n${sum}\n`;
}
