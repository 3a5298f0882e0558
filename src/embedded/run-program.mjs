import { spawn } from 'node:child_process';

import { EmbeddedPostgresError } from './errors.mjs';

/**
 * @typedef {object} ProgramOptions
 * @property {import('./server-user.mjs').ServerUser | undefined} user
 * @property {string} cwd a folder that the user may enter
 */

/**
 * Runs one of PostgreSQL's programs to its end.
 * @param {string} program
 * @param {string[]} args
 * @param {ProgramOptions} options
 * @returns {Promise<{ code: number | null; output: string }>} what it printed, errors included
 */
export function runProgram(program, args, { user, cwd }) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { ...user, cwd, env: cleanEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
      });
    }
    child.once('error', (cause) => reject(new EmbeddedPostgresError(cannotRun(program, cause), { cause })));
    child.once('close', (code) => resolve({ code, output }));
  });
}

/**
 * PG* variables of the person's own would change what the programs do, and messages must be in one
 * language.
 */
function cleanEnvironment() {
  const kept = Object.entries(process.env).filter(([name]) => !/^(PG|LC_|LANG)/.test(name));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}

/**
 * @param {string} program
 * @param {Error} cause
 */
function cannotRun(program, cause) {
  const remedy = 'Set DATABASE_URL to a PostgreSQL 14 to 18 database instead.';
  return `The embedded PostgreSQL cannot run on this machine (${program}: ${cause.message}). ${remedy}`;
}
