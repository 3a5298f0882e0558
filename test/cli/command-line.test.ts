import { describe, expect, test } from 'vitest';

import { type CommandSpec, helpOf, parseCommandLine, wholeNumber } from '../../src/cli/command-line.ts';

const SPEC = {
  name: 'paint',
  summary: 'Paints a wall.',
  arguments: [{ name: 'wall', description: 'which wall' }],
  options: {
    colour: { type: 'string', value: '<name>', default: 'white', description: 'What to paint it with.' },
    brush: { type: 'string', value: '<file>', description: 'The brush.' },
    twice: { type: 'boolean', description: 'Two coats.' },
  },
  exitCodes: { 2: 'painted, with spots' },
} as const satisfies CommandSpec;

describe('the command line', () => {
  test('gives defaults to the options that are absent', () => {
    expect(parseCommandLine(SPEC, ['north'])).toEqual({
      arguments: ['north'],
      options: { colour: 'white', brush: undefined, twice: false },
    });
  });

  test('reads options before and after the arguments', () => {
    expect(parseCommandLine(SPEC, ['--twice', 'north', '--colour', 'red', '--brush=wide'])).toEqual({
      arguments: ['north'],
      options: { colour: 'red', brush: 'wide', twice: true },
    });
  });

  test.each([
    [[], /<wall> is missing/],
    [['north', 'south'], /"south" is one too many/],
    [['north', '--color', 'red'], /^Unknown option '--color'\.$/],
    [['north', '--colour'], /--colour/],
  ])('refuses %j and points to --help', (argv, message) => {
    expect(() => parseCommandLine(SPEC, argv)).toThrowError(
      expect.objectContaining({ message: expect.stringMatching(message), remedy: 'See: npm run paint -- --help' }),
    );
  });

  test('asks for help wherever --help stands, whatever else is missing', () => {
    expect(parseCommandLine(SPEC, ['--twice', '--help'])).toBe('help');
    expect(parseCommandLine(SPEC, ['-h'])).toBe('help');
  });

  test('tells in --help of every argument, option, default and exit code', () => {
    expect(helpOf(SPEC)).toBe(
      [
        'Usage: npm run paint -- <wall> [options]',
        '',
        'Paints a wall.',
        '',
        'Arguments:',
        '  <wall>                  which wall',
        '',
        'Options:',
        '  --colour <name>         What to paint it with. Default: white.',
        '  --brush <file>          The brush.',
        '  --twice                 Two coats.',
        '  --help                  Show this help.',
        '',
        'Exit codes:',
        '  0                       done',
        '  1                       failed; the message says why',
        '  2                       painted, with spots',
      ].join('\n'),
    );
  });
});

describe('whole numbers', () => {
  test('may have their digits parted', () => {
    expect(wholeNumber('rows', '10_000', 1, 1_000_000)).toBe(10_000);
  });

  test.each(['', '0', '101', '-5', '1.5', '1e3', '_1', 'ten'])('refuse %j and say what was expected', (text) => {
    expect(() => wholeNumber('rows', text, 1, 100)).toThrowError(
      `--rows must be a whole number between 1 and 100, but got: "${text}".`,
    );
  });
});
