import { createHash } from 'node:crypto';
import { FOLLOWED_TABLES, isFollowed, NAMESPACES, type Namespace } from '../cache/dependencies/dependencies.ts';
import { exactJson } from '../exact-json.ts';
import type { Prisma } from '../generated/prisma/client.ts';
import { type Fields, isFields, TenantScopeError } from './scope-error.ts';
import type { TenantModel, TenantModels } from './tenant-models.ts';

/** A week, as for the settings of the cache. */
const MAX_TTL_SECONDS = 604_800;
const MAX_KEY_LENGTH = 200;
/** Halves of characters, which a key in Redis cannot hold. */
const HALF = /\p{Cs}/u;

/** Operations that take the option `cache`. */
const READS = [
  ...(['findMany', 'findFirst', 'findFirstOrThrow', 'findUnique', 'findUniqueOrThrow'] as const),
  ...(['count', 'aggregate', 'groupBy'] as const),
] as const;
type Read = (typeof READS)[number];

/**
 * The option `cache` of the scoped client's reads: the result is kept for the tenant, and found
 * again while no row of the models it reads, and nothing else of the namespace, was changed.
 */
export interface ReadCacheOptions {
  /** Begins the key, and is what `invalidateCache` invalidates the result by. */
  readonly namespace: Namespace;
  /**
   * How long it is kept at most, in seconds: more than 0, up to a week. Freshness does not depend
   * on it.
   */
  readonly ttlSeconds: number;
  /**
   * Stands for the arguments, which are hashed otherwise: 1 to 200 characters. Reads of a model by
   * the same operation with equal keys are one and the same.
   */
  readonly key?: string | undefined;
}

/** A read to be found again. */
export interface CachedRead {
  readonly namespace: Namespace;
  /** Behind the namespace: what tells it from other reads. */
  readonly key: readonly string[];
  readonly dependencies: readonly Namespace[];
  readonly ttlSeconds: number;
}

/** Gives a read's result from the cache, or from `load`. */
export type ReadThrough = <Result>(read: CachedRead, load: () => Promise<Result>) => Promise<Result>;

/** A client whose reads take the option `cache`. Each is an overload beside Prisma's own. */
export type WithCachedReads<Client> = Client & {
  readonly [Model in Prisma.ModelName as Uncapitalize<Model>]: Uncapitalize<Model> extends keyof Client
    ? CachedReads<Client[Uncapitalize<Model>]>
    : never;
};

type CachedReads<Delegate> = {
  readonly [Operation in Read]: <Args>(
    args: Prisma.Exact<Args, Prisma.Args<Delegate, Operation> & { cache: ReadCacheOptions | undefined }>,
  ) => Promise<Prisma.Result<Delegate, Args, Operation>>;
};

/**
 * Takes the option `cache` out of an operation's arguments.
 * @throws TenantScopeError for writes, for what the change feed does not tell of, and for an option
 *   that does not hold
 */
export function takeCachedRead(
  models: TenantModels,
  model: TenantModel,
  operation: string,
  given: unknown,
): { readonly args: unknown; readonly read: CachedRead | undefined } {
  if (!isFields(given) || !('cache' in given)) return { args: given, read: undefined };
  const { cache, ...args } = given;
  if (cache === undefined) return { args, read: undefined };
  const name = `cache of ${model.name}.${operation}`;
  if (!(READS as readonly string[]).includes(operation))
    throw new TenantScopeError(`${name} is refused: only reads take it, which are ${READS.join(', ')}`);
  const { namespace, ttlSeconds, key } = checkedOptions(name, cache);
  const identity =
    key ??
    createHash('sha256')
      .update(exactJson(canonical(args)))
      .digest('base64url');
  return {
    args,
    read: {
      namespace,
      key: [`${model.name}.${operation}`, identity],
      dependencies: [...new Set([namespace, ...changesWith(name, models, model, args)])],
      ttlSeconds,
    },
  };
}

function checkedOptions(name: string, options: unknown): ReadCacheOptions {
  const { namespace, ttlSeconds, key } = isFields(options) ? options : {};
  const refuse = (part: string, expected: string, value: unknown): never => {
    throw new TenantScopeError(`${part} in ${name} must be ${expected}, but got: ${String(value)}`);
  };
  if (!(NAMESPACES as readonly unknown[]).includes(namespace))
    refuse('namespace', `one of ${NAMESPACES.join(', ')}`, namespace);
  if (typeof ttlSeconds !== 'number' || !(ttlSeconds > 0 && ttlSeconds <= MAX_TTL_SECONDS))
    refuse('ttlSeconds', `a number of seconds above 0, up to ${MAX_TTL_SECONDS}`, ttlSeconds);
  if (key !== undefined && !(typeof key === 'string' && key && key.length <= MAX_KEY_LENGTH && !HALF.test(key)))
    refuse('key', `text of 1 to ${MAX_KEY_LENGTH} characters`, key);
  return { namespace, ttlSeconds, key } as ReadCacheOptions;
}

/**
 * The namespaces that change with the models that are read, also through relations, wherever the
 * arguments name one.
 */
function changesWith(name: string, models: TenantModels, model: TenantModel, args: Fields): Set<Namespace> {
  const found = new Set<Namespace>();
  const visit = (model: TenantModel, value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) visit(model, item);
    if (!isFields(value)) return;
    for (const [field, inner] of Object.entries(value)) {
      const target = models.get(model.relations.get(field)?.target ?? '');
      if (target) add(target);
      visit(target ?? model, inner);
      // `_count: true` counts every list there is.
      if (field === '_count' && inner === true)
        for (const { isList, target } of model.relations.values()) if (isList) add(models.get(target) as TenantModel);
    }
  };
  const add = (model: TenantModel): void => {
    if (!isFollowed(model.table))
      throw new TenantScopeError(`${name} is refused: the cache is not told of changes of ${model.name}`);
    found.add(FOLLOWED_TABLES[model.table].readersDependOn);
  };
  add(model);
  visit(model, args);
  return found;
}

/**
 * The same for the same arguments: names in one order, and undefined, which Prisma takes for
 * absent, left out. Of Prisma's own objects, such as its two kinds of null, what tells them apart.
 */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (!isFields(value) || value instanceof Date || value instanceof Uint8Array) return value;
  if (Object.getPrototypeOf(value) !== Object.prototype)
    return [value.constructor?.name ?? '', String(value), Object.entries(value)];
  const given = Object.entries(value).filter(([, property]) => property !== undefined);
  return Object.fromEntries(given.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, each]) => [name, canonical(each)]));
}
