import { runCommand } from './cli/run-command.ts';
import { readConfig } from './config.ts';
import { createLogger } from './monitoring/logger.ts';
import { serve } from './startup/serve.ts';

/** How long requests under way may take to finish before the process ends without them. */
const SHUTDOWN_TIMEOUT_MS = 10_000;

const SPEC = {
  name: 'start',
  summary:
    'Serves GraphQL. Without settings: on port 4000, with an embedded PostgreSQL, demo tenants and ready-made tokens.\n' +
    'Settings are environment variables; the README lists them.',
  options: {},
} as const;

await runCommand(SPEC, async () => {
  const config = readConfig();
  const logger = createLogger(config);
  const service = await serve(config, logger, (line) => process.stderr.write(`${line}\n`));
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, resolve);
  });
  process.stderr.write(`\n${signal}: finishing the requests under way\n`);
  const timeout = setTimeout(() => process.exit(1), SHUTDOWN_TIMEOUT_MS);
  await service.close();
  clearTimeout(timeout);
  return 0;
});
