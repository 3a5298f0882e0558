import { existsSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The clone's own folder: the nearest one above this module that holds a package.json. Not the
 * working directory, so that every command finds the same database wherever it is typed; the same
 * from `src` and from the built `dist`.
 * @returns {string} absolute path
 */
export function findProjectRoot() {
  const start = path.dirname(fileURLToPath(import.meta.url));
  let folder = start;
  while (!existsSync(path.join(folder, 'package.json'))) {
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error(`No package.json above ${start}: run this from a clone of the project.`);
    folder = parent;
  }
  return folder;
}
