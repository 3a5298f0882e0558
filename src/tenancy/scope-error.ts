/**
 * The arguments of an operation as they come: what Prisma's types say of them cannot be relied on
 * here.
 */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * An operation that would touch another tenant's rows, or of which that cannot be told. Nothing of
 * it was sent.
 */
export class TenantScopeError extends Error {
  override readonly name = 'TenantScopeError';
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Where Prisma takes one or several. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [value];
}
