import type { Machine } from './machine.ts';

/** The machine of reports that tests make up. */
export const MACHINE: Machine = {
  processor: 'a processor',
  cores: 2,
  memoryBytes: 2 ** 30,
  system: 'Linux',
  node: 'Node.js 20',
  postgres: 'PostgreSQL 18',
  redis: null,
  loadBefore: 0.5,
};
