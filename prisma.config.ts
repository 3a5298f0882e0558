import { existsSync } from 'node:fs';
import path from 'node:path';
import { defineConfig } from 'prisma/config';

import { findDatasourceUrl } from './scripts/schema-engine/datasource-url.mjs';

const inProject = (name: string): string => path.join(import.meta.dirname, name);

// Prisma does not read it by itself. What is set already wins over it.
if (existsSync(inProject('.env'))) process.loadEnvFile(inProject('.env'));
// Windows cannot run a script as a program; Prisma downloads its native engine there.
if (process.platform !== 'win32') process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= inProject('scripts/schema-engine.mjs');
// Prisma's call home, to learn of new versions.
process.env.CHECKPOINT_DISABLE ??= '1';

const url = await findDatasourceUrl(process.argv.slice(2), process.env);

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(url && { datasource: { url } }),
});
