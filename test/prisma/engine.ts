import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { MigrationList, SchemaContainer } from '@prisma/schema-engine-wasm';

import { ENGINE, REPOSITORY } from './project.ts';

const SCHEMA_FILE = path.join(REPOSITORY, 'prisma/schema.prisma');
const MIGRATIONS_DIRECTORY = path.join(REPOSITORY, 'prisma/migrations');

export const NO_FILTERS = { externalTables: [], externalEnums: [] };

export interface EngineOptions {
  url: string;
  shadowDatabaseUrl?: string;
  /** Paths of the schema's files. */
  datamodels?: string[];
}

/** An answer of the engine: one of the two. */
export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: each method's answer has a form of its own
  result?: any;
  error?: { message: string; code?: string };
}

/** The engine's process, spoken to as Prisma's command line does. */
export class Engine {
  /** What it asked to be shown. */
  readonly printed: string[] = [];
  readonly process: ChildProcess;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #requests = 0;

  constructor({ datamodels = [], ...datasource }: EngineOptions) {
    const files = datamodels.flatMap((file) => ['--datamodels', file]);
    this.process = spawn(process.execPath, [ENGINE, ...files, '--datasource', JSON.stringify(datasource)], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const { stdout } = this.process;
    if (!stdout) throw new Error('The engine has no stdout.');
    createInterface({ input: stdout }).on('line', (line) => this.#receive(line));
  }

  call(method: string, params: unknown = {}): Promise<Answer> {
    const id = ++this.#requests;
    this.process.stdin?.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return new Promise((resolve) => this.#waiting.set(id, resolve));
  }

  /** Ends as the command line ends it, and resolves with the exit code. */
  async stop(): Promise<number | null> {
    const exited = once(this.process, 'exit');
    this.process.stdin?.end();
    const [exitCode] = await exited;
    return exitCode;
  }

  #receive(line: string): void {
    const { id, method, params, result, error } = JSON.parse(line);
    if (method === 'print') this.printed.push(params.content);
    this.#waiting.get(id)?.({ result, error: error && { message: error.data.message, code: error.data.error_code } });
  }
}

/** Asks an engine process one thing. */
export async function ask(options: EngineOptions, method: string, params: unknown = {}): Promise<Answer> {
  const engine = new Engine(options);
  const answer = await engine.call(method, params);
  await engine.stop();
  return answer;
}

/** Runs the engine as `cli <command>`; resolves with the log's last line and the exit code. */
export async function runCommand(
  url: string,
  command: string,
): Promise<{ exitCode: number; code?: string; message: string }> {
  const child = spawn(process.execPath, [ENGINE, '--datasource', JSON.stringify({ url }), 'cli', command]);
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => lines.push(line));
  const [exitCode] = await once(child, 'close');
  const { message, error_code } = JSON.parse(lines.at(-1) ?? '').fields;
  return { exitCode, code: error_code, message };
}

/** Migrations as Prisma's command line passes them: name and SQL each. */
export function migrationsOf(...migrations: [name: string, sql: string][]): MigrationList {
  return {
    baseDir: MIGRATIONS_DIRECTORY,
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories: migrations.map(([name, sql]) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
    })),
  };
}

/** This project's. */
export function ownMigrations(): MigrationList {
  const names = readdirSync(MIGRATIONS_DIRECTORY).filter((name) => name !== 'migration_lock.toml');
  const read = (name: string) => readFileSync(path.join(MIGRATIONS_DIRECTORY, name, 'migration.sql'), 'utf8');
  return migrationsOf(...names.sort().map((name): [string, string] => [name, read(name)]));
}

/** This project's schema, after a change. */
export function ownSchema(change: (text: string) => string): { files: SchemaContainer[] } {
  return { files: [{ path: SCHEMA_FILE, content: change(readFileSync(SCHEMA_FILE, 'utf8')) }] };
}
