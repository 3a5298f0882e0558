import fc from 'fast-check';
import { Kind, parse, type SelectionSetNode } from 'graphql';
import { describe, expect, test } from 'vitest';
import { extentsOf } from '../../src/graphql/document-extent.ts';

const extentOf = (query: string) => extentsOf(parse(query, { noLocation: true }))[0]?.extent;

/** Selections of few names, within inline fragments to some depth. */
const { set } = fc.letrec<{ set: string; selection: string }>((tie) => ({
  set: fc.array(tie('selection'), { minLength: 1, maxLength: 5 }).map((all) => `{ ${all.join(' ')} }`),
  selection: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('a', 'b', 'c', 'x: a', 'a: b'),
    tie('set').map((inner) => `... ${inner}`),
    tie('set').map((inner) => `d ${inner}`),
  ),
}));

/** By its definition: on each level, the names of all fields that are seen there. */
function namesOf({ selections }: SelectionSetNode): string[] {
  return selections.flatMap((selection) => {
    if (selection.kind === Kind.FIELD) return [(selection.alias ?? selection.name).value];
    return selection.kind === Kind.INLINE_FRAGMENT ? namesOf(selection.selectionSet) : [];
  });
}
function repeatedIn(set: SelectionSetNode): number {
  const names = namesOf(set);
  const below = set.selections.map((each) =>
    'selectionSet' in each && each.selectionSet ? repeatedIn(each.selectionSet) : 0,
  );
  return names.length - new Set(names).size + below.reduce((sum, count) => sum + count, 0);
}

describe('how large a document is', () => {
  test('fields that repeat a name are counted on each level, inline fragments included', () => {
    expect(extentOf('{ a a a }')?.repeatedFields).toBe(2);
    expect(extentOf('{ a ... { a b } ... { b ... { b } } }')?.repeatedFields).toBe(4);
    fc.assert(
      fc.property(set, (query) => {
        const [operation] = parse(query).definitions;
        if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('no operation');
        expect(extentOf(query)?.repeatedFields).toBe(repeatedIn(operation.selectionSet));
      }),
      { seed: 20_261_130, numRuns: 500 },
    );
  });

  test('takes time by the length of the document, and not by the square of its depth', () => {
    const levels = 1_200;
    const each = (level: number) => `a${level} `;
    const query = `{ ${Array.from({ length: levels }, (_, level) => `... { ${each(level)}`).join('')}${'}'.repeat(levels)} }`;
    const document = parse(query, { noLocation: true });
    const parsing = fastest(() => parse(query, { noLocation: true }));
    // By the square of the depth it takes a hundred times as long as parsing.
    expect(fastest(() => extentsOf(document))).toBeLessThan(10 * parsing);
  });
});

function fastest(work: () => unknown): number {
  const durations = Array.from({ length: 7 }, () => {
    const since = performance.now();
    work();
    return performance.now() - since;
  });
  return Math.min(...durations);
}
