// Plain JavaScript, so that Prisma's configuration reads settings as the service does.
import { readFileSync } from 'node:fs';

/** Says what is wrong with how a setting is given, to the person who gave it; never its value. */
export class SettingError extends Error {
  /** @override */
  name = 'SettingError';
}

/**
 * A setting: the environment variable of its name, or what the file holds that the variable
 * `<name>_FILE` names, as orchestrators hand over secrets. Blanks and line ends around it do not
 * count, and an empty variable is an absent one.
 * @param {NodeJS.ProcessEnv} env
 * @param {string} name
 * @returns {string | undefined}
 * @throws {SettingError} when both are given, or the file holds nothing that can be read
 */
export function settingOf(env, name) {
  const value = env[name]?.trim() || undefined;
  const file = env[`${name}_FILE`]?.trim();
  if (!file) return value;
  if (value === undefined) return readSetting(`${name}_FILE`, file);
  throw new SettingError(`${name} and ${name}_FILE are both set, but only one of them may be (unset the other)`);
}

/**
 * @param {string} name
 * @param {string} file
 */
function readSetting(name, file) {
  const text = read(name, file).trim();
  if (text) return text;
  throw new SettingError(`${name} must name a file that holds the value, but got: ${file}, which is empty`);
}

/**
 * @param {string} name
 * @param {string} file
 */
function read(name, file) {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const reason = /** @type {NodeJS.ErrnoException} */ (cause).code ?? cause;
    const got = `${file}, which cannot be read (${reason})`;
    throw new SettingError(`${name} must name a file that holds the value, but got: ${got}`, { cause });
  }
}
