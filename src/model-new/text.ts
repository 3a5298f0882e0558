export function capital(name: string): string {
  return `${name[0]?.toUpperCase()}${name.slice(1)}`;
}

/** Imports in the order of their paths. */
export function listOf(imports: readonly string[]): string {
  const pathOf = (line: string) => /'([^']+)'/.exec(line)?.[1] ?? '';
  return [...imports].sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1)).join('\n');
}
