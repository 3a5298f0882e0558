/**
 * Columns of a description's line: schema.graphql has 100, of which an argument's indentation takes
 * 4.
 */
const MAX_COLUMNS = 96;

/** A description of several sentences, one on a line; longer ones are wrapped. */
export function sentences(...texts: readonly string[]): string {
  return texts.flatMap(wrapped).join('\n');
}

function wrapped(text: string): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const extended = lines.length > 0 ? `${lines.at(-1)} ${word}` : word;
    if (lines.length > 0 && extended.length <= MAX_COLUMNS) lines[lines.length - 1] = extended;
    else lines.push(word);
  }
  return lines;
}
