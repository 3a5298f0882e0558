import { readFileSync } from 'node:fs';
import { isAllowed } from '../../src/node-version.mjs';

/**
 * Ends the process with a message when this Node.js is not one that package.json's `engines`
 * allows.
 */
export function refuseOldNode() {
  /** @type {{ engines: { node: string } }} */
  const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  if (isAllowed(process.versions.node, engines.node)) return;
  console.error(`Node.js ${engines.node} is needed, but this is ${process.versions.node} (${process.execPath}).`);
  console.error('Install a current one, for example from https://nodejs.org, and try again.');
  process.exit(1);
}
