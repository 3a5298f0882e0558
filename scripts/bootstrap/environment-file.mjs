import { existsSync } from 'node:fs';
import path from 'node:path';

import { BootstrapError } from './errors.mjs';

/**
 * Takes settings from the project's file `.env`, if there is one. What is set already wins over it.
 * @param {string} root the project's folder
 */
export function readEnvironmentFile(root) {
  const file = path.join(root, '.env');
  if (!existsSync(file)) return;
  try {
    process.loadEnvFile(file);
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    throw new BootstrapError(`${file} cannot be read: ${message}\nMake it readable, or remove it.`);
  }
}
