import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { lookUpInTurn, writeTogether } from '../../src/http/write-batching.ts';

/** What became known before the end of each turn of the event loop, and at that end, by turns. */
async function halves(arrivals: readonly number[], work: (index: number, tell: (word: string) => void) => void) {
  const told: string[][] = [];
  const tell = (word: string) => told.at(-1)?.push(word);
  let next = 0;
  const untold = () => told.flat().filter((word) => /^\d+$/.test(word)).length < next;
  for (let turn = 0; turn < arrivals.length || untold(); turn++) {
    told.push([]);
    for (let n = 0; n < (arrivals[turn] ?? 0); n++) {
      const index = next++;
      lookUpInTurn(() => {
        tell(String(index));
        work(index, tell);
      });
    }
    told.push([]);
    await nextTurn();
  }
  await nextTurn(); // the end that nothing was left for
  return told;
}

const NOTHING = () => {};

test.each([
  ['many at once', [40]],
  ['some while others wait', [20, 20, 20]],
  ['some just when those that waited are used up', [16, 16, 16, 0, 16, 32, 0, 16, 16]],
  ['a few in each turn', Array(30).fill(7)],
  ['now and then a flood', Array.from({ length: 60 }, (_, n) => (n * n * 31) % 29)],
])(
  '%s: 16 are looked up from one end of a turn to the next, and in the order in which they came',
  async (_, arrivals) => {
    const told = await halves(arrivals, NOTHING);
    const counts = told.map(({ length }) => length);
    const neighbours = counts.slice(1).map((count, at) => count + (counts[at] ?? 0));
    expect(Math.max(...neighbours)).toBeLessThanOrEqual(16);
    const sum = arrivals.reduce((all, count) => all + count, 0);
    expect(told.flat()).toEqual(Array.from({ length: sum }, (_, index) => String(index)));
    // None idles while others wait.
    const backlog = arrivals.reduce((left, count) => Math.max(0, left + count - 16), 0);
    expect(counts.length / 2).toBeLessThanOrEqual(arrivals.length + Math.ceil(backlog / 16) + 1);
  },
);

test('what comes in meanwhile waits behind those that wait', async () => {
  const told = await halves([36], (index, tell) => {
    if (index === 16) lookUpInTurn(() => tell('late'));
  });
  expect(told.map((words) => words.slice(-2)).filter(({ length }) => length > 0)).toEqual([
    ['14', '15'],
    ['30', '31'],
    ['35', 'late'],
  ]);
});

test('the answers of a turn are sent together at its end', async () => {
  const told = await halves([36], (index, tell) => writeTogether(() => tell(`sent ${index}`)));
  const indices = (first: number, count: number) => Array.from({ length: count }, (_, n) => String(first + n));
  const sent = (first: number, count: number) => indices(first, count).map((index) => `sent ${index}`);
  expect(told.filter(({ length }) => length > 0)).toEqual([
    indices(0, 16),
    sent(0, 16),
    [...indices(16, 16), ...sent(16, 16)],
    [...indices(32, 4), ...sent(32, 4)],
  ]);
});

test('what was looked up in a turn long ago does not count', async () => {
  for (const _ of [1, 2]) {
    const told = await halves([32], NOTHING);
    expect(told.map(({ length }) => length).filter((count) => count > 0)).toEqual([16, 16]);
    const [next] = await halves([16], NOTHING);
    expect(next).toHaveLength(16);
  }
});
