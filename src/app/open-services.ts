import { AuditLog } from '../audit/audit-log.ts';
import { CacheableOperations } from '../cache/response/cacheable-operations.ts';
import { closeAll, closeAllAfter } from '../close-all.ts';
import type { Services } from '../context/services.ts';
import { createRuntime, type RuntimeOptions } from './runtime.ts';
import { createSchema } from './schema.ts';
import { closeServices, createServices } from './services.ts';

export interface OpenedServices {
  readonly services: Services;
  close(): Promise<void>;
}

/**
 * Opens the services of a process that serves no requests, such as a command. They are those of
 * the service, without what it writes and removes in the background.
 */
export async function openServices(options: RuntimeOptions): Promise<OpenedServices> {
  const runtime = await createRuntime(options);
  try {
    const { schemaHash } = new CacheableOperations(createSchema());
    const onError = (error: Error) => options.logger.error({ err: error }, 'audit lines cannot be written');
    const audit = new AuditLog({ database: runtime.database, onError });
    const services = createServices({ ...runtime, schemaHash, audit });
    const close = () =>
      closeAll(
        () => audit.stop(),
        () => closeServices(services),
        () => runtime.close(),
      );
    return { services, close };
  } catch (error) {
    return await closeAllAfter(error, runtime.close);
  }
}
