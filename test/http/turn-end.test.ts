import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { atTurnEnd, inTurn } from '../../src/http/turn-end.ts';

/** What became known in each turn of the event loop, the first one up to its end. */
async function turns(count: number, work: (index: number, tell: (word: string) => void) => void) {
  const told: string[][] = [[]];
  const tell = (word: string) => told.at(-1)?.push(word);
  for (let index = 0; index < count; index++) inTurn(() => work(index, tell));
  while (told.at(-1)?.length) {
    told.push([]);
    await nextTurn();
  }
  return told.slice(0, -1);
}

test('a turn begins with 16 requests, and the others have theirs in the order in which they came', async () => {
  const told = await turns(40, (index, tell) => tell(String(index)));
  expect(told.map(({ length }) => length)).toEqual([16, 16, 8]);
  expect(told.flat()).toEqual(Array.from({ length: 40 }, (_, index) => String(index)));
});

test('what comes in meanwhile waits behind those that wait', async () => {
  const told = await turns(20, (index, tell) => {
    tell(`${index}`);
    if (index === 16) inTurn(() => tell('late'));
  });
  expect(told.map((words) => words.slice(-2))).toEqual([['14', '15'], ['18', '19'], ['late']]);
});

test('the answers of a turn are sent together at its end', async () => {
  const told = await turns(20, (index, tell) => {
    tell(`begun ${index}`);
    atTurnEnd(() => tell(`sent ${index}`));
  });
  const sent = told.flat().findIndex((word) => word.startsWith('sent'));
  expect(told.flat().slice(0, sent)).toEqual(Array.from({ length: 20 }, (_, index) => `begun ${index}`));
});

test('a turn begins anew with its own number', async () => {
  for (const _ of [1, 2]) {
    const told = await turns(16, (index, tell) => tell(String(index)));
    expect(told.map(({ length }) => length)).toEqual([16]);
  }
});
