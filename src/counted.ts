/**
 * A count with its noun: `1 row`, `2 rows`, `1,000 rows`.
 * @param many when it is not the noun with an s
 */
export function counted(count: number, one: string, many = `${one}s`): string {
  // Intl is slow, and each answer's Server-Timing has a count.
  const figure = count < 1000 ? String(count) : count.toLocaleString('en-US');
  return `${figure} ${count === 1 ? one : many}`;
}
