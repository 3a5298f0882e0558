/**
 * What a text can have that makes it uncertain where its literals end; the product's own statements
 * have none of it.
 */
const UNCERTAIN = /--|\/\*|\\|\$\w*\$|;/;
const LITERALS_AND_NAMES = /'(?:[^']|'')*'|"(?:[^"]|"")*"/g;

const READING = /^\s*(?:select|with|values)\b/i;
/** Anywhere in it: a WITH can change rows, a SELECT can lock them or make a table. */
const WRITING = /\b(?:insert|update|delete|merge|into|share)\b/i;

/**
 * Whether a statement does nothing but read. In doubt it is taken for one that writes.
 * @param sql one statement
 */
export function isPlainRead(sql: string): boolean {
  if (!READING.test(sql) || UNCERTAIN.test(sql)) return false;
  return !WRITING.test(sql.replace(LITERALS_AND_NAMES, ' '));
}

/**
 * Literals, of which those with backslashes begin with E; quoted names, names and parameters, which
 * stay; numbers.
 */
const TOKENS =
  /\bE'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|("(?:[^"]|"")*"|[\p{L}_$][\p{L}\p{N}_$]*)|\d+(?:\.\d+)?(?:e[+-]?\d+)?/giu;
const BOOLEAN = /^(?:true|false)$/i;

/**
 * A condition as EXPLAIN shows it, with `?` in place of every value: those of a tenant are nobody
 * else's business.
 */
export function withoutValues(condition: string): string {
  return condition.replace(TOKENS, (_, name?: string) => (name && !BOOLEAN.test(name) ? name : '?'));
}
