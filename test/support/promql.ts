/** What an expression of PromQL asks for. */
export interface Selector {
  readonly metric: string;
  /** With the value of those that must be equal to one. */
  readonly labels: readonly (readonly [name: string, equals: string | undefined])[];
}

const GROUPING = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;
const WORDS = new Set(['and', 'or', 'unless', 'offset', 'bool', 'inf', 'nan']);
const SELECTOR = /([a-zA-Z_:][\w:]*)(\s*\()?(?:\{((?:[^}"]|"(?:[^"\\]|\\.)*")*)\})?/g;
const MATCHER = /([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"/g;

/** The selectors of an expression: whatever is neither a function, a number, a word nor a label. */
export function selectorsIn(expression: string): Selector[] {
  const bare = expression
    .replace(GROUPING, ' ')
    .replace(/\[[^\]]*\]/g, '')
    .replace(/\boffset\s+\w+/g, '')
    .replace(/\b\d[\w.]*/g, '');
  return [...bare.matchAll(SELECTOR)]
    .filter(([, name = '', call]) => call === undefined && !WORDS.has(name))
    .map(([, metric = '', , matchers = '']) => ({
      metric,
      labels: [...matchers.matchAll(MATCHER)].map(([, name = '', kind, value]) => [
        name,
        kind === '=' ? value : undefined,
      ]),
    }));
}

/** The labels that an expression groups by. */
export function groupedBy(expression: string): string[] {
  const groups = [...expression.matchAll(GROUPING)].map(([, labels = '']) => labels);
  return groups.flatMap((labels) => labels.split(',').map((label) => label.trim())).filter(Boolean);
}
