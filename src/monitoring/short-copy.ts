/**
 * The beginning of a text, as a string of its own. Parsers and `slice` give strings that keep the
 * whole text they were cut from in memory: an operation's name would keep its request.
 */
export function shortCopy(text: string, maxLength: number): string {
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text;
  return Buffer.from(cut).toString();
}
