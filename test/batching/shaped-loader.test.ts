import { expect, test } from 'vitest';
import { ShapedLoader } from '../../src/batching/shaped-loader.ts';

/** Values of even ids are missing; the shape `broken` cannot be read. */
function loader() {
  const loads: [ids: readonly string[], shape: string][] = [];
  const load = async (ids: readonly string[], shape: string) => {
    loads.push([ids, shape]);
    if (shape === 'broken') throw new Error('cannot be read');
    return new Map(ids.filter((id) => Number(id) % 2 === 1).map((id) => [id, `${shape} ${id}`]));
  };
  return { loads, all: new ShapedLoader(load) };
}

test('each shape is one load, and each id is in it once', async () => {
  const { loads, all } = loader();
  const found = await Promise.all([
    all.all(['1', '2', '3'], 'a', 'a'),
    all.all(['3', '1', '3'], 'a', 'a'),
    all.all(['1'], 'b', 'b'),
  ]);
  expect(found).toEqual([['a 1', null, 'a 3'], ['a 3', 'a 1', 'a 3'], ['b 1']]);
  expect(loads).toEqual([
    [['1', '2', '3'], 'a'],
    [['1'], 'b'],
  ]);
});

test('what was read is not read again', async () => {
  const { loads, all } = loader();
  await all.all(['1', '2'], 'a', 'a');
  expect(await all.all(['2', '1', '5'], 'a', 'a')).toEqual([null, 'a 1', 'a 5']);
  expect(loads).toEqual([
    [['1', '2'], 'a'],
    [['5'], 'a'],
  ]);
});

test('a load that fails fails those who asked for its shape, and nobody else', async () => {
  const { all } = loader();
  const [failed, found] = await Promise.allSettled([all.all(['1'], 'broken', 'broken'), all.all(['1'], 'a', 'a')]);
  expect(failed).toMatchObject({ status: 'rejected', reason: { message: 'cannot be read' } });
  expect(found).toMatchObject({ value: ['a 1'] });
});
