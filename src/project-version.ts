import { readFileSync } from 'node:fs';
import path from 'node:path';
import { findProjectRoot } from './embedded/project-root.mjs';

/** Of the service, as package.json has it. */
export function projectVersion(): string {
  const text = readFileSync(path.join(findProjectRoot(), 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
