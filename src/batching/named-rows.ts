import type { RequestContext } from '../context/request-context.ts';
import type { SelectedField } from '../graphql/selection.ts';
import { withRelations } from './batch-mapping.ts';

/**
 * The row that each id names, with what hangs on it; null where there is none. Each row is read
 * once, however many name it.
 */
export async function rowsNamedBy<Row extends { readonly id: string }>(
  context: RequestContext,
  ids: readonly string[],
  fields: readonly SelectedField[],
  load: (ids: readonly string[]) => Promise<readonly (Row | null)[]>,
): Promise<(Row | null)[]> {
  const loaded = await load([...new Set(ids)]);
  const rows = await withRelations(
    context,
    loaded.filter((row) => row !== null),
    fields,
  );
  const byId = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => byId.get(id) ?? null);
}
