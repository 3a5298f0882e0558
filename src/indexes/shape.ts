/**
 * What stays of a statement when its values are taken away. pg_stat_statements shows constants as
 * parameters too, so that a statement and its entry there have the same shape.
 */
export function shapeOf(sql: string): string {
  return sql
    .replace(/\bextract\(\s*(?:\w+|\$\d+)\s+from\b/gi, 'extract(? FROM') // the field is a constant too
    .replace(/'(?:[^']|'')*'|\$\d+|\b(?:\d+(?:\.\d+)?|true|false|null)\b/gi, '?')
    .replace(/\s+/g, ' ')
    .trim();
}
