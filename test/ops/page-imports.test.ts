import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

const PAGE = path.resolve(import.meta.dirname, '../../src/ops/page');
/** Of scripts and of style sheets. */
const IMPORT = /(?:\bfrom|\bimport|@import)\s*\(?\s*(['"])(.+?)\1/g;
/** `vite.config.mjs` runs on the machine that builds. */
const BROWSER_FILE = /\.(tsx?|css)$/;
const PACKAGES = ['preact', 'preact/hooks', 'uplot', 'uplot/dist/uPlot.min.css'];
/** Types that codegen's files name; nothing is left of them in the build. */
const TYPES = ['@graphql-typed-document-node/core'];

test('The page for operators imports its own files and its two packages, and nothing of the service', () => {
  const imports = readdirSync(PAGE, { recursive: true, encoding: 'utf8' })
    .filter((file) => BROWSER_FILE.test(file))
    .flatMap((file) => importsOf(path.join(PAGE, file)).map((imported) => ({ file, imported })));
  const foreign = imports.filter(({ file, imported }) => !isOfPage(file, imported));
  expect(foreign).toStrictEqual([]);
  expect(imports.map(({ imported }) => imported)).toEqual(expect.arrayContaining(['./app.tsx', ...PACKAGES]));
});

function importsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map(([, , imported = '']) => imported);
}

function isOfPage(file: string, imported: string): boolean {
  if (!imported.startsWith('.')) return PACKAGES.includes(imported) || TYPES.includes(imported);
  return path.join(PAGE, path.dirname(file), imported).startsWith(PAGE + path.sep);
}
