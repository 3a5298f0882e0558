import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { expect, test } from 'vitest';

const ROOT = path.resolve(import.meta.dirname, '../..');
const MAX_MIB = 200;
const MIB = 1024 * 1024;
/** Files take whole blocks of the disk. */
const BLOCK_BYTES = 4096;

interface LockedPackage {
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
  readonly peer?: boolean;
}

const { packages } = JSON.parse(readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')) as {
  packages: Readonly<Record<string, LockedPackage>>;
};
const { dependencies } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  dependencies: Readonly<Record<string, string>>;
};

/** What npm leaves out, as the image of the service is made: `npm ci --omit=…`. */
function omitted(): ReadonlySet<string> {
  const stage = readFileSync(path.join(ROOT, 'Dockerfile'), 'utf8').split(/^FROM .* AS service$/m)[1] ?? '';
  const install = /npm ci .*/.exec(stage)?.[0] ?? '';
  return new Set([...install.matchAll(/--omit=(\w+)/g)].map(([, kind = '']) => kind));
}

/** As npm decides: what only development or optional packages need goes when both are left out. */
function isInstalled({ dev, devOptional, optional, peer }: LockedPackage, without: ReadonlySet<string>): boolean {
  if (dev && without.has('dev')) return false;
  if (optional && without.has('optional')) return false;
  if (devOptional && without.has('dev') && without.has('optional')) return false;
  return !(peer && without.has('peer'));
}

/** Of a package's own files. */
function bytesOf(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const place = path.join(folder, entry.name);
    if (!entry.isDirectory()) bytes += Math.ceil(lstatSync(place).size / BLOCK_BYTES) * BLOCK_BYTES;
    else if (entry.name !== 'node_modules') bytes += bytesOf(place);
  }
  return bytes;
}

test(`the image's node_modules take less than ${MAX_MIB} MiB`, () => {
  const without = omitted();
  const sizes = Object.entries(packages)
    .filter(([place, locked]) => place !== '' && isInstalled(locked, without))
    .map(([place]) => ({ place, bytes: bytesOf(path.join(ROOT, place)) }))
    .sort((one, other) => other.bytes - one.bytes);
  const mib = sizes.reduce((sum, { bytes }) => sum + bytes, 0) / MIB;
  const largest = sizes.slice(0, 10).map(({ place, bytes }) => `${place} ${(bytes / MIB).toFixed(1)}`);
  expect(mib, `MiB; the largest: ${largest.join(', ')}`).toBeLessThan(MAX_MIB);
  expect(sizes.length).toBeGreaterThan(100);
});

test('the service imports nothing that the image lacks', () => {
  const imported = new Set<string>();
  for (const file of readdirSync(path.join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })) {
    // Vite bundles what the page of operators imports.
    if (!/\.(ts|mjs)$/.test(file) || file.startsWith(path.join('ops', 'page'))) continue;
    const source = readFileSync(path.join(ROOT, 'src', file), 'utf8');
    for (const [, isType, name = ''] of source.matchAll(/^(?:import|export) (type )?[^;]*?from '([^'.][^']*)'/gm))
      if (!isType && !name.startsWith('node:')) imported.add(packageOf(name));
  }
  expect(imported.size).toBeGreaterThan(10);
  const lacking = [...imported].filter((name) => !(name in dependencies) && !builtinModules.includes(name));
  expect(lacking).toEqual([]);
});

function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}
