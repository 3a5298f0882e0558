import cluster from 'node:cluster';
import { runCommand } from './cli/run-command.ts';
import { readConfig } from './config/config.ts';
import { examineService } from './doctor/doctor.ts';
import { createLogger } from './monitoring/logger.ts';
import { closeInTime } from './startup/close-in-time.ts';
import { serve } from './startup/serve.ts';
import { StopSignals } from './startup/stop-signals.ts';
import { runWorker } from './startup/worker.ts';
import { runWorkers } from './startup/workers.ts';

const SPEC = {
  name: 'start',
  summary:
    'Serves GraphQL. Without settings: on port 4000, with an embedded PostgreSQL, demo tenants and ready-made tokens.\n' +
    'Settings are environment variables; docs/settings.md lists them.',
  options: {},
} as const;

await runCommand(SPEC, async () => {
  const config = readConfig();
  const logger = createLogger(config);
  const signals = new StopSignals();
  const say = (line: string) => process.stderr.write(`${line}\n`);
  // Its channel would keep it alive.
  if (cluster.isWorker) process.exit(await runWorker(config, logger, signals, process, examineService));
  if (config.lifecycle.workers > 1) return await runWorkers(config, logger, say, signals);
  const service = await serve(config, logger, say, { examine: examineService });
  say(service.banner);
  const signal = await signals.next();
  say(`\n${signal}: serving for ${config.lifecycle.shutdownDelayMs / 1000} s more, then finishing what is under way`);
  const code = await closeInTime(service, config.lifecycle.shutdownTimeoutMs, say);
  if (config.telemetry !== 'off') process.exit(code); // what a collector has not answered yet would keep it alive
  return code;
});
