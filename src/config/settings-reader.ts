import { OperatorError } from '../errors.ts';
import { SettingError, settingOf } from '../setting.mjs';

/**
 * Reads variables and gathers what is wrong with them, so that one run tells everything. An empty
 * one counts as absent.
 */
export class SettingsReader {
  readonly #problems: string[] = [];
  /** Settings that have some. */
  readonly #wrong = new Set<string>();

  constructor(private readonly env: NodeJS.ProcessEnv) {}

  text(name: string): string | undefined {
    try {
      return settingOf(this.env, name);
    } catch (error) {
      if (!(error instanceof SettingError)) throw error;
      this.#tell(name, error.message);
      return undefined;
    }
  }

  integer(name: string, fallback: number, min: number, max: number, orElse = ''): number {
    return this.#integer(name, min, max, orElse, `unset it for the default, ${fallback}`) ?? fallback;
  }

  /** One without a default. */
  optionalInteger(name: string, min: number, max: number): number | undefined {
    return this.#integer(name, min, max, '', 'or unset it');
  }

  #integer(name: string, min: number, max: number, orElse: string, remedy: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    this.problem(name, `a whole number between ${min} and ${max}${orElse && `, ${orElse}`}`, remedy, text);
    return undefined;
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice {
    const text = this.text(name);
    const found = choices.find((choice) => choice === text);
    if (text !== undefined && !found)
      this.problem(name, `one of ${choices.join(', ')}`, `unset it for the default, ${fallback}`, text);
    return found ?? fallback;
  }

  onOff(name: string, fallback: boolean): boolean {
    return this.choice(name, ['on', 'off'], fallback ? 'on' : 'off') === 'on';
  }

  url(name: string, protocols: readonly string[]): string | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (/^\w+:\/\/[^/]*,/.test(text)) {
      const remedy = 'the driver takes no list: name one that leads to the primary, such as a DNS name or a pooler';
      this.problem(name, 'a URL with one host', remedy, 'several hosts');
      return text;
    }
    const protocol = URL.canParse(text) ? new URL(text).protocol : undefined;
    // The value is not repeated: it may hold a password.
    if (!protocol || !protocols.includes(protocol))
      this.problem(
        name,
        `a URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`,
        'check its spelling',
        protocol ?? 'no URL',
      );
    return text;
  }

  /** Several, parted by commas. */
  origins(name: string, fallback: readonly string[]): readonly string[] {
    const origins = this.text(name)
      ?.split(',')
      .map((origin) => origin.trim());
    for (const origin of origins ?? [])
      if (origin !== '*' && (!URL.canParse(origin) || new URL(origin).origin !== origin))
        this.problem(name, 'origins such as https://app.example.com, parted by commas', 'or * for any', origin);
    return origins ?? fallback;
  }

  problem(name: string, expected: string, remedy: string, got: string | undefined): void {
    this.#tell(name, `${name} must be ${expected}${got === undefined ? '' : `, but got: ${got}`} (${remedy})`);
  }

  /**
   * What is wrong with the first of the settings as the others are. Not told where one of them is
   * wrong by itself: its value is not the one that was given.
   */
  contradiction(
    names: readonly [string, ...string[]],
    expected: string,
    remedy: string,
    got: string | undefined,
  ): void {
    if (!names.some((name) => this.#wrong.has(name))) this.problem(names[0], expected, remedy, got);
  }

  /** Some settings are read twice. */
  #tell(name: string, problem: string): void {
    this.#wrong.add(name);
    if (!this.#problems.includes(problem)) this.#problems.push(problem);
  }

  /** What was found wrong so far, each with what was expected. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  finish(): void {
    if (this.#problems.length)
      throw new OperatorError(
        this.#problems.join('\n'),
        'Correct the environment variables named above and start again.',
      );
  }
}
