import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { asksForHelp, BUILD_USAGE, helpOf, refuseUnknown, remedyOf } from './arguments.mjs';
import { build } from './build.mjs';
import { dependencies } from './dependencies.mjs';
import { endWithNpm } from './end-with-npm.mjs';
import { readEnvironmentFile } from './environment-file.mjs';
import { BootstrapError } from './errors.mjs';
import { generatedCode } from './generated-code.mjs';
import { opsPage } from './ops-page.mjs';
import { prepare } from './prepare.mjs';
import { runTool, TOOLS } from './tools.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * @param {string[]} commandLine the command, then its arguments
 * @returns {Promise<void>}
 */
export async function runCommand([command = '--help', ...args]) {
  try {
    if (command === '--help' || command === 'help') return console.log(commandList());
    endWithNpm();
    await dispatch(command, args);
  } catch (error) {
    if (!(error instanceof BootstrapError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

/**
 * @param {string} command
 * @param {string[]} args
 */
async function dispatch(command, args) {
  const tool = TOOLS[command];
  const usage = tool ?? (command === 'build' ? BUILD_USAGE : undefined);
  if (usage) {
    if (asksForHelp(args)) return console.log(helpOf(command, usage));
    refuseUnknown(command, usage, args);
  }
  if (tool) {
    const steps = [dependencies];
    if (tool.needsGeneratedCode) steps.push(generatedCode);
    if (tool.needsOpsPage) steps.push(opsPage);
    await prepare(ROOT, steps);
    if (!tool.packageName) readEnvironmentFile(ROOT);
    process.exitCode = await runTool(ROOT, tool, args);
    if (tool.followedBy && args.length === 0 && process.exitCode === 0) return dispatch(tool.followedBy, []);
    if (process.exitCode !== 0 && args.some((arg) => arg.startsWith('-'))) console.error(remedyOf(command));
    return;
  }
  const source = sourceOf(command);
  if (source === undefined) throw new BootstrapError(`There is no command "${command}".\n${commandList()}`);
  await prepare(ROOT, [dependencies, generatedCode, build, opsPage]);
  if (source !== null) await importBuilt(source, args);
}

/**
 * @param {string} command
 * @returns {string | null | undefined} the command's source, null for `build` alone, undefined for
 *   what does not exist
 */
function sourceOf(command) {
  if (command === 'build') return null;
  const source = command === 'start' ? 'src/main.ts' : `scripts/${command.replaceAll(':', '-')}.ts`;
  return /^[\w:-]+$/.test(command) && existsSync(path.join(ROOT, source)) ? source : undefined;
}

/**
 * In this process, so that signals and the exit code are the command's own.
 * @param {string} source
 * @param {string[]} args
 */
async function importBuilt(source, args) {
  readEnvironmentFile(ROOT);
  const file = path.join(ROOT, 'dist', source.replace(/\.ts$/, '.js'));
  process.argv = [process.execPath, file, ...args];
  await import(pathToFileURL(file).href);
}

function commandList() {
  const scripts = readdirSync(path.join(ROOT, 'scripts')).filter((file) => file.endsWith('.ts'));
  const commands = scripts.map((file) => file.replace(/\.ts$/, '').replace('-', ':'));
  const names = ['start', 'build', ...Object.keys(TOOLS), ...commands].sort();
  return `Commands: ${names.join(', ')}.\nUse: npm run <command> -- [arguments], and --help for what a command takes.`;
}
