// What the commands take that are no script of their own. Those of scripts are read by
// src/cli/command-line.ts.
import { BootstrapError } from './errors.mjs';

const HELP_COLUMN = 26;

/**
 * @typedef {object} Usage
 * @property {string} summary
 * @property {Record<string, string>} [options]
 * @property {string} [passesOn]
 */

/** @type {Usage} */
export const BUILD_USAGE = {
  summary: 'Compiles the service and its commands into dist. The other commands do so by themselves.',
};

/**
 * Whether --help is among the arguments. What comes behind `--` belongs to the program.
 * @param {string[]} args
 */
export function asksForHelp(args) {
  const end = args.indexOf('--');
  return args.slice(0, end < 0 ? args.length : end).some((arg) => arg === '--help' || arg === '-h');
}

/**
 * @param {string} command
 * @param {Usage} usage
 */
export function helpOf(command, { summary, options = {}, passesOn }) {
  const rows = Object.entries({ ...options, '--help': 'Show this help.' });
  return [
    `Usage: npm run ${command} -- [options]${passesOn ? ' [arguments]' : ''}`,
    summary,
    `Options:\n${rows.map(([name, text]) => `${`  ${name} `.padEnd(HELP_COLUMN)}${text}`).join('\n')}`,
    ...(passesOn ? [`Hands on what else it is given: ${passesOn}.`] : []),
  ].join('\n\n');
}

/**
 * Before anything is prepared or run.
 * @param {string} command
 * @param {Usage} usage
 * @param {string[]} args
 * @throws {BootstrapError} for an argument that the command does not take
 */
export function refuseUnknown(command, { options = {}, passesOn }, args) {
  if (passesOn !== undefined) return;
  const unknown = args.find((arg) => !Object.hasOwn(options, arg));
  if (unknown === undefined) return;
  const kind = unknown.startsWith('-') ? `Unknown option '${unknown}'.` : `The argument "${unknown}" is one too many.`;
  throw new BootstrapError(`${kind}\n${remedyOf(command)}`);
}

/** @param {string} command */
export function remedyOf(command) {
  return `See: npm run ${command} -- --help`;
}
