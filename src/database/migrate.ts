import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { findProjectRoot } from '../embedded/project-root.mjs';
import { StateError } from '../errors.ts';

/**
 * Applies the migrations that a database lacks, by Prisma's own command.
 * @throws OperatorError with Prisma's words when one of them fails
 */
export async function migrate(url: string): Promise<void> {
  const { code, output } = await runPrisma(['migrate', 'deploy'], url);
  if (code !== 0)
    throw new StateError(
      `prisma migrate deploy failed:\n${output.trim()}`,
      'Fix the reported error, then start again; "npx prisma migrate status" shows the state.',
    );
}

function runPrisma(args: readonly string[], url: string): Promise<{ code: number | null; output: string }> {
  const cli = path.join(
    path.dirname(createRequire(import.meta.url).resolve('prisma/package.json')),
    'build',
    'index.js',
  );
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: findProjectRoot(),
    env: {
      ...process.env,
      ...{ DATABASE_URL: url, DATABASE_URL_FILE: '' },
      ...{ DATABASE_DIRECT_URL: url, DATABASE_DIRECT_URL_FILE: '' },
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let output = '';
    const keep = (chunk: Buffer) => {
      output += chunk.toString();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
