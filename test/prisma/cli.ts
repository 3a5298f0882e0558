import { spawn } from 'node:child_process';
import path from 'node:path';

import { ENGINE, type Project, REPOSITORY } from './project.ts';

const PRISMA = path.join(REPOSITORY, 'node_modules/prisma/build/index.js');
/**
 * Nothing else of the caller's surroundings steers the commands: no URL, no CI, no mark of who runs
 * the tests.
 */
const PASSED_ON = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'APPDATA', 'LOCALAPPDATA', 'USERPROFILE', 'SystemRoot'];
/** Nobody listens there: an attempt to download the native engine fails. */
const NO_DOWNLOADS = { PRISMA_ENGINES_MIRROR: 'http://127.0.0.1:9' };

export interface Outcome {
  exitCode: number | null;
  /** What the person sees: stdout and stderr together, without colours. */
  output: string;
}

/** Runs Prisma's command line in a project that has this one's configuration. */
export function prisma(project: Project, args: string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const inherited = Object.fromEntries(PASSED_ON.map((name) => [name, process.env[name]]));
  const child = spawn(process.execPath, [PRISMA, ...args], {
    cwd: project.directory,
    env: { ...inherited, ...NO_DOWNLOADS, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode, output }));
  });
}

/** Runs it in a project without this one's configuration, on the database given. */
export function prismaOn(url: string, project: Project, args: string[]): Promise<Outcome> {
  return prisma(project, args, { DATABASE_URL: url, PRISMA_SCHEMA_ENGINE_BINARY: ENGINE, CHECKPOINT_DISABLE: '1' });
}
