import { type ParseArgsConfig, parseArgs } from 'node:util';

import { OperatorError } from '../errors.ts';

/** Where descriptions begin in --help, unless a longer name pushes them. */
const HELP_COLUMN = 26;
const HELP_OPTION = { type: 'boolean', description: 'Show this help.' } as const satisfies OptionSpec;

/**
 * One row of a command's option table: the parser, --help and the types of the values are all made
 * from it.
 */
export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  /** How --help calls the value, for example `<file>`. Absent for booleans. */
  readonly value?: string;
  /** The value when the option is absent. Without it the value is undefined, for booleans false. */
  readonly default?: string;
  readonly description: string;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** What a command is and takes. */
export interface CommandSpec<Options extends OptionSpecs = OptionSpecs> {
  /** As in `npm run <name>`. */
  readonly name: string;
  /** What it does, in a sentence or a few lines. */
  readonly summary: string;
  /** Its positional arguments, all required, in order. */
  readonly arguments?: readonly { readonly name: string; readonly description: string }[];
  /** By name without the dashes. `help` is added. */
  readonly options: Options;
  /** Exit codes beside 0 (done) and 1 (failed). */
  readonly exitCodes?: Readonly<Record<number, string>>;
  /** What else --help says at its end. */
  readonly notes?: string;
}

type OptionValue<Option extends OptionSpec> = Option extends { type: 'boolean' }
  ? boolean
  : Option extends { default: string }
    ? string
    : string | undefined;

/** The values a command was started with. */
export interface CommandLine<Options extends OptionSpecs = OptionSpecs> {
  readonly options: { readonly [Name in keyof Options]: OptionValue<Options[Name]> };
  readonly arguments: readonly string[];
}

/**
 * Reads a command's arguments.
 * @param argv without the program and the script
 * @returns the values, or 'help' when --help is among them
 * @throws OperatorError for an unknown option, a missing value, too few or too many arguments
 */
export function parseCommandLine<Options extends OptionSpecs>(
  spec: CommandSpec<Options>,
  argv: readonly string[],
): CommandLine<Options> | 'help' {
  const { values, positionals } = parse(spec, argv);
  if (values.help) return 'help';
  checkArguments(spec, positionals);
  const options = Object.entries(spec.options).map(([name, option]) => [
    name,
    values[name] ?? (option.type === 'boolean' ? false : option.default),
  ]);
  return { options: Object.fromEntries(options) as CommandLine<Options>['options'], arguments: positionals };
}

/**
 * An option's value as a whole number; `_` may part its digits.
 * @throws OperatorError that names the option, the bounds and what came
 */
export function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^\d[\d_]*$/.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new OperatorError(
    `--${name} must be a whole number between ${min} and ${max}, but got: "${text}".`,
    `Give it as digits, for example --${name} ${min}.`,
  );
}

/** The text that --help prints. */
export function helpOf(spec: CommandSpec): string {
  const positionals = spec.arguments ?? [];
  const usage = ['npm run', spec.name, '--', ...positionals.map(({ name }) => `<${name}>`), '[options]'].join(' ');
  const sections = [
    `Usage: ${usage}`,
    spec.summary,
    section(
      'Arguments',
      positionals.map(({ name, description }) => [`<${name}>`, description]),
    ),
    section('Options', Object.entries({ ...spec.options, help: HELP_OPTION }).map(optionRow)),
    section('Exit codes', Object.entries({ 0: 'done', 1: 'failed; the message says why', ...spec.exitCodes })),
    spec.notes,
  ];
  return sections.filter(Boolean).join('\n\n');
}

function parse(spec: CommandSpec, argv: readonly string[]) {
  const options: NonNullable<ParseArgsConfig['options']> = { help: { type: 'boolean', short: 'h' } };
  for (const [name, { type }] of Object.entries(spec.options)) options[name] = { type };
  try {
    return parseArgs({ args: [...argv], options, allowPositionals: true });
  } catch (cause) {
    throw usageError(spec, firstSentence(cause instanceof Error ? cause.message : String(cause)), cause);
  }
}

/**
 * What Node.js says behind it is about arguments that begin with a dash, which no command takes.
 */
function firstSentence(message: string): string {
  return message.replace(/\. To specify a positional argument .*/s, '.');
}

function checkArguments(spec: CommandSpec, given: readonly string[]): void {
  const expected = spec.arguments ?? [];
  const missing = expected[given.length];
  if (missing) throw usageError(spec, `<${missing.name}> is missing: ${missing.description}`);
  const surplus = given[expected.length];
  if (surplus !== undefined) throw usageError(spec, `The argument "${surplus}" is one too many.`);
}

function usageError(spec: CommandSpec, message: string, cause?: unknown): OperatorError {
  return new OperatorError(message, `See: npm run ${spec.name} -- --help`, { cause });
}

function optionRow([name, { value, default: fallback, description }]: [string, OptionSpec]): [string, string] {
  const label = value ? `--${name} ${value}` : `--${name}`;
  const parted = description.endsWith('\n') ? description : `${description} `;
  return [label, fallback === undefined ? description : `${parted}Default: ${fallback}.`];
}

function section(title: string, rows: readonly (readonly [string, string])[]): string {
  if (rows.length === 0) return '';
  const lines = rows.map(([label, text]) => {
    const indented = text.replaceAll('\n', `\n${' '.repeat(HELP_COLUMN)}`);
    return `${`  ${label} `.padEnd(HELP_COLUMN)}${indented}`;
  });
  return `${title}:\n${lines.join('\n')}`;
}
