import { readFileSync } from 'node:fs';

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

/**
 * @param {string} version as `20.19.1`
 * @param {string} range alternatives of the forms `^20.19.0` and `>=24.0.0`, joined by `||`
 * @returns {boolean}
 */
export function isAllowed(version, range) {
  const [major = 0, ...rest] = numbersOf(version);
  return range.split('||').some((alternative) => {
    const [leastMajor = 0, ...leastRest] = numbersOf(alternative);
    if (major !== leastMajor) return major > leastMajor && alternative.includes('>=');
    const different = rest.findIndex((number, index) => number !== leastRest[index]);
    return different === -1 || Number(rest[different]) > Number(leastRest[different]);
  });
}

/** @param {string} text */
function numbersOf(text) {
  return (text.match(/\d+/g) || []).map(Number);
}
