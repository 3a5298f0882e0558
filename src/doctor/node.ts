import { readFileSync } from 'node:fs';
import path from 'node:path';
import { findProjectRoot } from '../embedded/project-root.mjs';
import { isAllowed } from '../node-version.mjs';
import { type Check, fault, ok } from './check.ts';

export const nodeChecks: readonly Check[] = [
  {
    name: 'Node.js',
    async look() {
      const { engines } = JSON.parse(readFileSync(path.join(findProjectRoot(), 'package.json'), 'utf8')) as {
        engines: { node: string };
      };
      const { node } = process.versions;
      if (isAllowed(node, engines.node)) return ok(node);
      return fault(`${node}, but ${engines.node} is needed`, 'Install a current one, for example from nodejs.org.');
    },
  },
];
