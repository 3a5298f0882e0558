import { pino } from 'pino';
import { openServices } from '../app/open-services.ts';
import { closeAll, closeAllAfter } from '../close-all.ts';
import { type Config, readConfig } from '../config/config.ts';
import type { Services } from '../context/services.ts';
import { bypassesRowSecurity } from '../database/database-state.ts';
import { TenantScope } from '../tenancy/tenant-scope.ts';
import { openCommandDatabase } from './command-database.ts';
import { tenantBySlug } from './named-tenant.ts';

/** The services, for what a command reads of a tenant. */
export interface TenantServices {
  readonly services: Services;
  readonly scope: TenantScope;
  close(): Promise<void>;
}

/**
 * Opens the services on the database that commands work on, with the settings of the service.
 * @param command as in `npm run <command>`
 * @throws OperatorError for settings that do not hold, an unknown tenant, and as
 *   `openCommandDatabase` does
 */
export async function openTenantServices(command: string, slug: string): Promise<TenantServices> {
  const config = withoutCache(readConfig());
  const { client, url, close: closeDatabase } = await openCommandDatabase({ command });
  try {
    const { id } = await tenantBySlug(client, slug);
    const takeServiceRole = await bypassesRowSecurity(client);
    const { services, close } = await openServices({
      config,
      logger: pino({ level: 'silent' }), // what fails is thrown
      access: { url, directUrl: url, takeServiceRole },
    });
    return { services, scope: TenantScope.ofOperatorCommand(id), close: () => closeAll(close, closeDatabase) };
  } catch (error) {
    return await closeAllAfter(error, closeDatabase);
  }
}

/**
 * A command asks once. To be trusted, a cache needs the change feed, whose relay the command might
 * become for the moment that it runs.
 */
function withoutCache({ cache, ...config }: Config): Config {
  return { ...config, cache: { ...cache, enabled: false }, redisUrl: undefined };
}
