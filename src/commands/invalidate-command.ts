import { recordActions } from '../audit/operator-line.ts';
import { maskOf } from '../cache/dependencies/dependencies.ts';
import { type Invalidation, invalidationOf, PATTERN_FORMS } from '../cache/dependencies/patterns.ts';
import type { CommandSpec } from '../cli/command-line.ts';
import { OperatorError } from '../errors.ts';
import { openCommandDatabase } from './command-database.ts';
import { showTenants } from './named-tenant.ts';

const OPTIONS = {
  tenant: { type: 'string', value: '<slug>', description: 'Only this tenant. Required, unless --all is given.' },
  all: { type: 'boolean', description: 'Every tenant.' },
  pattern: {
    type: 'string',
    value: '<pattern>',
    default: '*',
    description: `What to invalidate: ${PATTERN_FORMS.join(', ')}.`,
  },
} as const;

export const INVALIDATE: CommandSpec<typeof OPTIONS> = {
  name: 'cache:invalidate',
  summary:
    'Invalidates kept answers, in every process that shares the database, whatever their number. It goes the way of every\n' +
    'write past the API, through the outbox: running services hear of it within a moment, and none need run.',
  options: OPTIONS,
};

export async function invalidateCommand({
  options,
}: {
  options: { tenant: string | undefined; all: boolean; pattern: string };
}): Promise<number> {
  const { dependencies } = patternAsked(options.pattern);
  if (!options.all && options.tenant === undefined)
    throw new OperatorError('--tenant is missing.', 'Give the slug of a tenant, or --all for every one.');
  if (options.all && options.tenant !== undefined)
    throw new OperatorError(
      `--all is every tenant, and --tenant is only "${options.tenant}".`,
      'Give one of the two; nothing was changed.',
    );
  const { client, close } = await openCommandDatabase({ command: INVALIDATE.name, writes: [] });
  try {
    await showTenants(client);
    const { rows } = await client.query<{ id: string; slug: string }>(
      'SELECT id, slug, cache_outbox_add(id, $2) FROM tenants WHERE $1::text IS NULL OR slug = $1 ORDER BY slug',
      [options.all ? null : options.tenant, maskOf(dependencies)],
    );
    if (rows.length === 0 && !options.all)
      throw new OperatorError(`There is no tenant "${options.tenant}".`, 'Give the slug of a tenant, or --all.');
    const action = { action: 'cache:invalidate', key: options.pattern } as const;
    await recordActions(
      client,
      action,
      rows.map(({ id }) => id),
    );
    for (const { slug } of rows) process.stdout.write(`${slug}: invalidated ${dependencies.join(', ')}\n`);
    return 0;
  } finally {
    await close();
  }
}

/** @throws OperatorError that lists the known patterns */
export function patternAsked(pattern: string): Invalidation {
  const asked = invalidationOf(pattern);
  if (asked) return asked;
  throw new OperatorError(
    `--pattern must be one of ${PATTERN_FORMS.join(', ')}, but got: "${pattern}".`,
    'Quote it, so that the shell does not read the asterisk.',
  );
}
