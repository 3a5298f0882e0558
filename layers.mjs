import { existsSync, readdirSync } from 'node:fs';

/**
 * The folders of src/, for `npm run lint`: the highest first. A file imports from its own folder and
 * from folders below it, of another line. A new folder gets its line here.
 */
const LAYERS = [
  ['main.ts'],
  ['commands'], // what operators run
  ['commands/cache-inspection'],
  ['doctor'], // everything that can be wrong, looked at by what the start and the commands have
  ['model-new'], // writes the files of a new model
  ['startup'], // processes: workers, signals, waiting for the database
  ['app'], // puts everything together: services, schema, metrics, routes
  ['ops'], // serves the page for operators
  ['live'], // subscriptions: events for those who wait for changes
  ['http'], // requests and answers
  ['apollo'], // Apollo Server: limits, prices, executor, timing
  ['import', 'seed'],
  ['performance'],
  ['indexes'],
  ['invalidation'],
  ['warm-up'], // what is computed before somebody asks
  ['registered-models.ts'], // those that npm run model:new wrote
  ['dashboard'],
  ['statistics'],
  ['transactions'],
  ['accounts'],
  ['tenants'],
  ['models'], // what a model that was added needs beside its columns
  ['audit'],
  ['batching'], // data loaders, fields that are read for all rows of a level, and connections
  ['usage'],
  ['deployment'], // all processes of the service together
  ['context'], // of one request
  ['idempotency'],
  ['budget'],
  ['cache/response'], // whole answers
  ['cache/data'], // what answers are made of
  ['cache/change-feed'], // hears of writes past the API
  ['cache/store'], // entries
  ['cache/versions'], // what tells old entries from current ones
  ['cache/redis'],
  ['graphql'], // types, scalars, pages, selections, costs of fields
  ['auth'], // tokens and callers
  ['monitoring'],
  ['tenancy'], // the only way to the tenants' rows
  ['paging'],
  ['telemetry'], // traces
  ['database'], // what needs no tenant: migrations' state, rights, plans, definitions of indexes
  ['cli'],
  ['project-version.ts'],
  ['embedded'], // a PostgreSQL for development
  ['config'],
  ['cache/dependencies'], // what a change of rows invalidates, and how long answers are kept
  [
    'errors.ts',
    'setting.mjs',
    'node-version.mjs',
    'calendar.ts',
    'calendar-day.ts',
    'latency-histogram.ts',
    'loop.ts',
    'close-all.ts',
    'exact-json.ts',
    'counted.ts',
  ],
  ['limits.ts'],
  ['generated'],
];

const FOLDERS = LAYERS.flat();

// docs/add-a-model.md
for (const model of readdirSync('src', { recursive: true }).filter((file) => file.endsWith('.model.ts'))) {
  const test = `test/${model.replace(/\.model\.ts$/, '.test.ts')}`;
  if (!existsSync(test)) throw new Error(`src/${model} has no test: write ${test}.`);
}

/** Files of the folder itself; what lies in a folder within has a line of its own. */
function filesOf(folder) {
  if (/\.m?[jt]s$/.test(folder)) return `^src/${folder.replaceAll('.', '\\.')}$`;
  return folder === 'generated' ? '^src/generated/' : `^src/${folder}/[^/]+$`;
}

const climbs = LAYERS.flatMap((layer, level) =>
  layer.map((folder) => ({
    name: `${folder} is below`,
    severity: 'error',
    comment: 'Imports go down only (layers.mjs). Move what both need below them.',
    from: { path: filesOf(folder) },
    to: {
      path: LAYERS.slice(0, level + 1)
        .flat()
        .filter((other) => other !== folder)
        .map(filesOf),
    },
  })),
);

export default {
  forbidden: [
    ...climbs.filter(({ to }) => to.path.length > 0),
    {
      name: 'has no layer',
      severity: 'error',
      comment: 'Give the folder its line in layers.mjs.',
      from: { path: '^src/', pathNot: FOLDERS.map(filesOf) },
      to: {},
    },
    {
      name: 'in a circle',
      severity: 'error',
      comment: 'Move what the files need of one another to a file of its own.',
      from: { pathNot: '^src/generated/' },
      to: { circular: true },
    },
    {
      name: 'outside of src',
      severity: 'error',
      comment: "The service knows nothing of tests, scripts and Prisma's engine.",
      from: { path: '^src/' },
      to: { path: '^(test|scripts|prisma)/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true, // types, too
    parser: 'swc', // TypeScript 7 has no compiler to call
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^src/ops/page/' }, // runs in browsers; tsconfig.page.json keeps it to itself
    enhancedResolveOptions: { extensions: ['.ts', '.mjs', '.js'] },
  },
};
