import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { OperatorError } from '../errors.ts';
import type { AskedModel } from './asked-model.ts';
import { edited, editsFor } from './edits.ts';
import { refused } from './fields.ts';
import { enumsOf, newFiles } from './new-files.ts';
import { capital } from './text.ts';

/** A file with all that will be in it. */
export interface PlannedFile {
  readonly path: string;
  readonly isNew: boolean;
  readonly text: string;
}

/**
 * What has to be written in a repository for a model.
 * @throws OperatorError when a name is taken, a file is there already, or a place for an addition
 *   is not found
 */
export function planModel(root: string, model: AskedModel): PlannedFile[] {
  refuseTakenNames(readIn(root, 'schema.graphql'), readIn(root, 'prisma/schema.prisma'), model);
  const created = Object.entries(newFiles(model, nextMigration(root))).map(([file, text]) => {
    if (existsSync(path.join(root, file)))
      throw new OperatorError(`${file} is there already.`, 'Nothing was written. Remove it, or choose another name.');
    return { path: file, isNew: true, text };
  });
  // The product's own folders have their layer, and tests of something else.
  for (const folder of [`src/${model.folder}`, `test/${model.folder}`])
    if (existsSync(path.join(root, folder)))
      throw refused('--plural', `a name for which there is no folder ${folder} yet`, model.list);
  const changed = editsFor(model).map((edit) => {
    return { path: edit.path, isNew: false, text: edited(edit, readIn(root, edit.path)) };
  });
  return [...created, ...changed];
}

/**
 * Writes them. A file that is changed becomes another one of the same name, so that copies of the
 * repository by hard links keep what they have.
 */
export function writePlanned(root: string, files: readonly PlannedFile[]): void {
  for (const { path: file, text, isNew } of files) {
    const place = path.join(root, file);
    mkdirSync(path.dirname(place), { recursive: true });
    if (isNew) writeFileSync(place, text, { flag: 'wx' });
    else {
      writeFileSync(`${place}.new`, text, { flag: 'wx' });
      renameSync(`${place}.new`, place);
    }
  }
}

/** Of the type, of what is made from it, and of the lists that it is shown by. */
function refuseTakenNames(graphql: string, prisma: string, model: AskedModel): void {
  const { model: name, list, parent } = model;
  const types = [name, `${name}Connection`, `${name}Edge`, `${name}Filter`, ...enumsOf(model).map((it) => it.name)];
  const taken = types.find(
    (type) =>
      new RegExp(`^(?:type|enum|input|scalar|interface|union) ${type}\\b`, 'm').test(graphql) ||
      new RegExp(`^(?:model|enum) ${type}\\b`, 'm').test(prisma),
  );
  if (taken) throw refused('<model>', 'a name of which no type is made yet', taken);
  for (const shown of ['Query', parent?.model ?? 'Query']) {
    const body = new RegExp(`^type ${shown} \\{[\\s\\S]*?^\\}`, 'm').exec(graphql)?.[0] ?? '';
    if (new RegExp(`^  ${list}[(:]`, 'm').test(body))
      throw refused('--plural', `a name that is no field of ${shown} yet`, list);
  }
  const owner = new RegExp(`^model ${parent?.model ?? 'Tenant'} \\{[\\s\\S]*?^\\}`, 'm').exec(prisma)?.[0] ?? '';
  if (new RegExp(`^  ${list}\\s`, 'm').test(owner))
    throw refused('--plural', `a name that is no field of the model ${parent?.model ?? 'Tenant'} yet`, capital(list));
}

/** The time, but behind the last migration. */
function nextMigration(root: string): string {
  const names = readdirSync(path.join(root, 'prisma/migrations')).flatMap(
    (name) => /^\d{14}(?=_)/.exec(name)?.[0] ?? [],
  );
  const now = stampOf(new Date());
  const last = names.sort().at(-1) ?? '';
  if (now > last) return now;
  const [, year, month, day, hour, minute, second] = /^(....)(..)(..)(..)(..)(..)$/.exec(last) ?? [];
  return stampOf(
    new Date(Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second) + 1)),
  );
}

function stampOf(at: Date): string {
  return at.toISOString().slice(0, 19).replaceAll(/\D/g, '');
}

function readIn(root: string, file: string): string {
  try {
    return readFileSync(path.join(root, file), 'utf8');
  } catch (cause) {
    throw new OperatorError(`${file} cannot be read.`, `Run this in a clone of the project.`, { cause });
  }
}
