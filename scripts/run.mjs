// Runs any command of the project: `node scripts/run.mjs <command> [arguments]`. What the command
// needs (dependencies, generated code, the build) is made first where it is missing or old. Only
// the command itself writes to stdout.
import { refuseOldNode } from './bootstrap/node-version.mjs';

refuseOldNode();
// Imported only now: an older Node.js would stop at what these use before it could say that it is
// too old.
const { runCommand } = await import('./bootstrap/run-command.mjs');
await runCommand(process.argv.slice(2));
