import { execFile } from 'node:child_process';
import {
  cpSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { programOf } from '../../scripts/bootstrap/packages.mjs';
import { builtFrom } from '../support/built.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const COPIED = [
  ...['dist', 'prisma', 'scripts', 'src', 'test'],
  ...['codegen.ts', 'layers.mjs', 'package.json', 'prisma.config.ts', 'schema.graphql'],
  ...['tsconfig.build.json', 'tsconfig.json', 'vitest.config.ts'],
];

export interface Run {
  readonly code: number;
  /** What it wrote, to stdout and stderr. */
  readonly output: string;
}

/** A copy of this repository, built, to write into. */
export interface CopiedRepository {
  readonly root: string;
  readonly migrations: string;
  /** Runs a command of its build: `model-new` is `dist/scripts/model-new.js`. */
  command(name: string, ...args: string[]): Promise<Run>;
  /** Runs a program of a package. */
  tool(packageName: string, program: string, args: string[], env?: Readonly<Record<string, string>>): Promise<Run>;
  /** Runs a module given as text, in the build's folder. */
  script(text: string, env: Readonly<Record<string, string>>): Promise<Run>;
  read(file: string): string;
  /** Nothing: the file is removed. */
  write(file: string, text: string | undefined): void;
  remove(): void;
}

export async function copyRepository(): Promise<CopiedRepository> {
  await builtFrom('scripts/model-new.ts');
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'tenantry-copy-')));
  for (const name of COPIED)
    cpSync(path.join(ROOT, name), path.join(root, name), { recursive: true, preserveTimestamps: true });
  symlinkSync(path.join(ROOT, 'node_modules'), path.join(root, 'node_modules'), 'junction');
  const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    runNode(root, args, { ...env, CHECKPOINT_DISABLE: '1', NO_COLOR: '1' });
  return {
    root,
    migrations: path.join(root, 'prisma/migrations'),
    command: (name, ...args) => run([path.join(root, `dist/scripts/${name}.js`), ...args]),
    tool: (packageName, program, args, env) => run([programOf(root, packageName, program), ...args], env),
    script: (text, env) => run(['--input-type=module', '-e', text], env),
    read: (file) => readFileSync(path.join(root, file), 'utf8'),
    write(file, text) {
      const place = path.join(root, file);
      if (text === undefined) return rmSync(place);
      writeFileSync(`${place}.written`, text);
      renameSync(`${place}.written`, place);
    },
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

function runNode(cwd: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Run> {
  const { PATH, HOME, TMPDIR } = process.env;
  return new Promise((resolve) => {
    const options = { cwd, env: { PATH, HOME, TMPDIR, ...env }, maxBuffer: 64 * 1024 * 1024 };
    const child = execFile(process.execPath, [...args], options, (error, stdout, stderr) => {
      const code = error ? Number(error.code ?? 1) : 0;
      resolve({ code, output: `${stdout}${stderr}` });
    });
    child.stdin?.end();
  });
}
