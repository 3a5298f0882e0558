import { expect } from 'vitest';
import { TWINS } from '../../support/twin-tenants.ts';
import type { Attempt, Kind } from './attempt.ts';
import { headerOf, type RawAnswer } from './exchange.ts';
import { type HostileService, MARK, OWN } from './world.ts';

/**
 * What tells of the inside: stacks, files, SQL, libraries and what they throw, names of the schema.
 */
const INSIDE = [
  /\bat [\w.<># ]+ \(?[^)\s]*:\d+:\d+/,
  /\bat (async )?[\w.]+ \(/,
  /node_modules|node:internal|file:\/\/|\.[cm]?[jt]s:\d+/,
  /\/(tmp|usr|root|home|work|var|opt|app|src|dist)\//,
  /\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|DROP TABLE)\b.*\b(FROM|WHERE|SET|VALUES|INTO)\b/,
  /\b(violates|constraint|relation "|syntax error at or near|SQLSTATE|out of range for type|invalid input syntax)\b/,
  /prisma|postgres|ioredis|\blua\b|WRONGTYPE|NOSCRIPT|ECONN|\bP20\d\d\b/i,
  /Did you mean/,
  /(Type|Range|Reference|Syntax)Error|undefined is not|Cannot read prop|is not a function/,
];

/**
 * Which of the deliberate refusals an answer may be, and that it shows nothing but its own tenant
 * and words for clients.
 */
export function expectDeliberate(
  { catalogue }: HostileService,
  { name, isOperators = false }: Kind,
  { sent, answers: count, mayHangUp = false }: Attempt,
  answers: readonly RawAnswer[],
): void {
  const told = `${name}: ${sent.slice(0, 600)}`;
  if (count === undefined) expect(answers.length, told).toBeGreaterThan(mayHangUp ? -1 : 0);
  else expect(answers.length, told).toBe(count);
  for (const answer of answers) {
    const text = Buffer.from(answer.body, 'latin1').toString();
    const whole = `${told}\n${answer.head}\n${text.slice(0, 600)}`;
    expect(answer.status, whole).toBeGreaterThanOrEqual(100);
    const codes = codesOf(answer, text, whole);
    expect(codes, whole).not.toContain('INTERNAL_SERVER_ERROR');
    if (answer.status >= 500 || codes.includes('SERVICE_UNAVAILABLE')) {
      expect([answer.status, codes[0]], whole).toEqual([503, 'SERVICE_UNAVAILABLE']);
      expect(headerOf(answer, 'retry-after'), whole).toMatch(/^\d+$/);
    }
    expect(isOperators ? [] : shown(`${answer.head}\n${text}`, sent, catalogue), whole).toEqual([]);
  }
}

/**
 * The codes of the errors of an answer in JSON, which must be well formed: with data, with errors
 * that have codes, or of HTTP itself.
 */
function codesOf({ head, status, body }: RawAnswer, text: string, told: string): string[] {
  if (body === '' || !headerOf({ head }, 'content-type')?.includes('json')) return [];
  const parsed = JSON.parse(text) as { data?: unknown; errors?: { message: string; extensions?: { code?: string } }[] };
  expect(typeof parsed, told).toBe('object');
  const { errors = [] } = parsed;
  if (status < 400) expect('data' in parsed || 'errors' in parsed || 'status' in parsed, told).toBe(true);
  return errors.map(({ message, extensions }) => {
    expect(message, told).toEqual(expect.stringMatching(/\S/));
    expect(extensions?.code, told).toEqual(expect.stringMatching(/^[A-Z_]+$/));
    return extensions?.code as string;
  });
}

/** What an answer shows and must not, unless the client said it itself. */
function shown(text: string, sent: string, catalogue: readonly string[]): string[] {
  const others = TWINS.filter(({ slug }) => slug !== OWN.slug).flatMap(({ id, slug, timeZone }) => [
    id,
    slug,
    timeZone,
  ]);
  const words = [...others, MARK, process.cwd(), ...catalogue].filter((word) => text.includes(word));
  const matches = INSIDE.flatMap((pattern) => pattern.exec(text)?.[0] ?? []);
  return [...words, ...matches].filter((found) => !sent.includes(found));
}
