#!/usr/bin/env node
// Prisma's schema engine, as its command line starts it: the WebAssembly build of the engine behind
// the stdin and stdout that the native one speaks on. README.md tells why.
import { parseArguments } from './arguments.mjs';
import { runCommand } from './commands.mjs';
import { log } from './log.mjs';
import { serve } from './rpc.mjs';
import { Session } from './session.mjs';

// Prisma reads stderr as lines of JSON, where Node.js would write its warnings as text.
process.removeAllListeners('warning');
process.on('warning', ({ message }) => log('WARN', message));

try {
  const { command, datasource, datamodels } = parseArguments(process.argv.slice(2));
  if (command) {
    process.exitCode = await runCommand(command, datasource.url);
  } else {
    const session = new Session(datasource, datamodels);
    leaveOnSignal(session);
    await serve(session, process.stdin, process.stdout);
    // The engine's timers, as of a lock that it waited for, would keep the process for seconds.
    process.stdout.write('', () => process.exit());
  }
} catch (error) {
  log('ERROR', /** @type {Error} */ (error).message, { is_panic: false });
  process.exitCode = 1;
}

/**
 * Prisma ends its engine with a signal. So does Ctrl-C, which may come in the midst of a request.
 * @param {Session} session
 */
function leaveOnSignal(session) {
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
    process.once(signal, () => session.close().finally(() => process.exit(0)));
  }
}
