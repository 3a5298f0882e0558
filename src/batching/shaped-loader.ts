import DataLoader from 'dataloader';

/** What is asked for: the value of an id, in a shape such as a limit or the columns. */
interface Asked<Shape> {
  readonly id: string;
  readonly shape: Shape;
  /** Text that is equal for equal shapes. */
  readonly identity: string;
}

/** Reads the values of ids in one shape by one statement; ids without a value are absent. */
export type ShapedLoad<Shape, Value> = (ids: readonly string[], shape: Shape) => Promise<ReadonlyMap<string, Value>>;

/**
 * A DataLoader whose values have a shape besides their id: what is asked for in the same shape
 * shares a statement, and the same again in a request is not read again.
 */
export class ShapedLoader<Shape, Value> {
  readonly #loader: DataLoader<Asked<Shape>, Value | null, string>;

  constructor(load: ShapedLoad<Shape, Value>) {
    this.#loader = new DataLoader((asked) => loadByShape(asked, load), {
      cacheKeyFn: ({ id, identity }) => `${id} ${identity}`,
    });
  }

  /** The values of the ids, in their order; null where there is none. */
  all(ids: readonly string[], identity: string, shape: Shape): Promise<(Value | null)[]> {
    return Promise.all(ids.map((id) => this.#loader.load({ id, shape, identity })));
  }
}

/** A statement that fails is the failure of those who asked for it alone. */
async function loadByShape<Shape, Value>(
  asked: readonly Asked<Shape>[],
  load: ShapedLoad<Shape, Value>,
): Promise<(Value | null | Error)[]> {
  const ids = new Map<string, string[]>();
  for (const { id, identity } of asked) {
    const ofShape = ids.get(identity);
    if (ofShape) ofShape.push(id);
    else ids.set(identity, [id]);
  }
  const shapes = new Map(asked.map(({ identity, shape }) => [identity, shape]));
  const loads = [...ids].map(async ([identity, ofShape]) => {
    const values = load(ofShape, shapes.get(identity) as Shape);
    return [identity, await values.catch((error: Error) => error)] as const;
  });
  const loaded = new Map(await Promise.all(loads));
  return asked.map(({ id, identity }) => {
    const values = loaded.get(identity) as ReadonlyMap<string, Value> | Error;
    return values instanceof Error ? values : (values.get(id) ?? null);
  });
}

/** The identity of a set of columns. */
export function columnsIdentity(columns: ReadonlySet<string>): string {
  return [...columns].sort().join(',');
}
