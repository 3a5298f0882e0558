import { notRecorded, recordAction } from '../audit/operator-line.ts';
import { isRole, ROLES, Role } from '../auth/caller.ts';
import { parseLifetimeSeconds } from '../auth/lifetime.ts';
import { createTokenIssuer } from '../auth/token-issuer.ts';
import type { CommandLine, CommandSpec } from '../cli/command-line.ts';
import type { Config } from '../config/config.ts';
import { counted } from '../counted.ts';
import { findRunningEmbeddedPostgres } from '../embedded/index.mjs';
import { OperatorError } from '../errors.ts';
import type { TenantEntry } from '../tenancy/tenant-directory.ts';
import { type CommandDatabase, connect, openCommandDatabase } from './command-database.ts';
import { showTenants } from './named-tenant.ts';

/** How many slugs an error lists, so that a mistyped one is recognised. */
const SLUGS_SHOWN = 5;

const OPTIONS = {
  tenant: {
    type: 'string',
    value: '<slug>',
    description: 'The tenant it is for. Not looked at for an OPERATOR, who has none.',
  },
  role: { type: 'string', value: '<role>', default: Role.VIEWER, description: `${ROLES.join(', ')}.` },
  name: { type: 'string', value: '<name>', description: 'Name of the holder. Default: the subject.' },
  subject: { type: 'string', value: '<id>', description: 'Id of the holder. Default: local-<role>.' },
  expires: { type: 'string', value: '<time>', default: '12h', description: 'As in 90s, 30m, 12h, 7d.' },
} as const;

export const TOKEN_COMMAND: CommandSpec<typeof OPTIONS> = {
  name: 'token',
  summary:
    'Prints a bearer token that the service accepts, and nothing else on stdout (npm run --silent token -- ...).',
  options: OPTIONS,
  notes:
    'It is signed as the service verifies: with AUTH_SECRET, or in development with the secret in .tenantry/auth-secret.\n' +
    'With AUTH_JWKS_URL tokens come from the identity provider, and this command refuses.',
};

/**
 * Issues what the command line asks for.
 * @param findEmbedded how the embedded database is found; for tests
 * @throws OperatorError for a role, tenant or lifetime that does not hold, and where tokens are not
 *   issued here
 */
export async function issueToken(
  config: Config,
  { options }: CommandLine<typeof OPTIONS>,
  findEmbedded = findRunningEmbeddedPostgres,
): Promise<string> {
  const role = parseRole(options.role);
  const lifetimeSeconds = parseLifetimeSeconds('expires', options.expires);
  const issuer = createTokenIssuer(config.auth, config.production);
  const subject = options.subject || `local-${role.toLowerCase()}`;
  const tenant = role === Role.OPERATOR ? null : await findTenant(config, options.tenant, subject);
  if (!tenant) await recordOperator(config, subject, findEmbedded);
  return issuer.issue({
    subject,
    name: options.name || subject,
    role,
    tenantId: tenant?.id ?? null,
    lifetimeSeconds,
  });
}

function parseRole(text: string): Role {
  const role = text.toUpperCase();
  if (isRole(role)) return role;
  throw new OperatorError(`--role must be one of ${ROLES.join(', ')}, but got: "${text}".`, 'Give one of these roles.');
}

/**
 * An operator's token is made without a database, and none is started to record it. Where there is
 * none, that nobody could be told of it is said.
 */
async function recordOperator(
  { database }: Config,
  subject: string,
  findEmbedded: typeof findRunningEmbeddedPostgres,
): Promise<void> {
  try {
    const url = database.url ?? (await findEmbedded());
    if (!url) return notRecorded('token', 'DATABASE_URL is not set, and the embedded PostgreSQL does not run.');
    const client = await connect(url, TOKEN_COMMAND.name);
    await recordAction(client, { action: 'token', tenantId: null, key: subject });
    await client.end();
  } catch (error) {
    notRecorded(TOKEN_COMMAND.name, (error as Error).message);
  }
}

/** @param subject for whom the tenant is looked for: that they get a token is recorded */
async function findTenant({ database }: Config, slug: string | undefined, subject: string): Promise<TenantEntry> {
  if (!slug)
    throw new OperatorError('--tenant is missing.', 'Give the slug of a tenant; only an OPERATOR belongs to none.');
  const opened = await openCommandDatabase({ command: TOKEN_COMMAND.name, url: database.url });
  try {
    await showTenants(opened.client);
    const { rows } = await opened.client.query<TenantEntry>('SELECT id, slug FROM tenants WHERE slug = $1', [slug]);
    const tenant = rows[0] ?? (await refuseUnknown(opened, slug));
    await recordAction(opened.client, { action: 'token', tenantId: tenant.id, key: subject });
    return tenant;
  } finally {
    await opened.close();
  }
}

async function refuseUnknown({ client }: CommandDatabase, slug: string): Promise<never> {
  const { rows } = await client.query<{ slug: string; total: string }>(
    'SELECT slug, count(*) OVER () AS total FROM tenants ORDER BY slug LIMIT $1',
    [SLUGS_SHOWN],
  );
  const total = Number(rows[0]?.total ?? 0);
  const shown = rows.map((row) => row.slug).join(', ');
  throw new OperatorError(
    `There is no tenant "${slug}" in the database.`,
    total === 0
      ? 'It holds no tenants yet: npm run db:seed makes some, and so does the first npm start.'
      : `It holds ${counted(total, 'tenant')}: ${shown}${total > rows.length ? ', ...' : '.'}`,
  );
}
