import { readFileSync } from 'node:fs';
import path from 'node:path';

/**
 * The file of a program that an installed package brings, to be run with Node.js.
 * @param {string} root
 * @param {string} packageName
 * @param {string} program its name in the package's `bin`
 * @returns {string}
 */
export function programOf(root, packageName, program) {
  const folder = path.join(root, 'node_modules', packageName);
  /** @type {{ bin: Record<string, string> }} */
  const { bin } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const file = bin[program];
  if (!file)
    throw new Error(`The package ${packageName} has no program ${program}, but: ${Object.keys(bin).join(', ')}.`);
  return path.join(folder, file);
}
