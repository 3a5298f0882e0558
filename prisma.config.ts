import path from 'node:path';
import { defineConfig } from 'prisma/config';

import { findDatasourceUrl } from './prisma/engine/datasource-url.mjs';
import { readEnvironmentFile } from './scripts/bootstrap/environment-file.mjs';

readEnvironmentFile(import.meta.dirname); // Prisma does not by itself
// Windows cannot run a script as a program; Prisma downloads its native engine there.
if (process.platform !== 'win32') {
  process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= path.join(import.meta.dirname, 'prisma/engine/schema-engine.mjs');
}
// Prisma's call home, to learn of new versions.
process.env.CHECKPOINT_DISABLE ??= '1';

const url = await findDatasourceUrl(process.argv.slice(2), process.env);

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(url && { datasource: { url } }),
});
