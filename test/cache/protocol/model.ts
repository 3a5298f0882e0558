import { type Step, type System, Violation } from './explore.ts';

/**
 * The cache's protocol with everything left out that no interleaving depends on: one tenant, one namespace, one key, the
 * row as a number that every write makes larger. Two processes with a memory tier each share one Redis; readers and writers
 * belong to either. What can be lost is lost at any moment: the versions, the entry, a memory tier, a writer between its
 * commit and its bump.
 */
export interface Model {
  /** What the database holds: the number of the last committed write. */
  database: number;
  /** The largest write that was acknowledged to its client. */
  acknowledged: number;
  /** Writes whose row is in the outbox. */
  outbox: number[];
  versions: Version | null;
  /** How many epochs were made: each new one is another. */
  epochs: number;
  shared: Entry | null;
  memory: (Entry | null)[];
  /** One load under way for each process. */
  flights: (Flight | null)[];
  writers: Writer[];
  readers: Reader[];
  lossesLeft: number;
}

type Version = readonly [epoch: number, count: number];

interface Entry {
  readonly version: Version;
  readonly value: number;
}

interface Flight {
  readonly version: Version;
  readonly reader: number;
}

interface Writer {
  at: 'idle' | 'bumping' | 'committing' | 'acknowledging' | 'done' | 'dead';
  value: number;
}

interface Reader {
  at: 'idle' | 'looking' | 'loading' | 'keeping' | 'waiting' | 'late version' | 'done';
  process: number;
  /** What had been acknowledged when it began: nothing older may be answered. */
  floor: number;
  version: Version | null;
  value: number;
}

/** Faults that can be put in, to see that they are found. */
export type Fault =
  | 'versions are read after the load'
  | 'the bump comes before the commit'
  | 'missing versions begin at zero'
  | 'any load under way is joined';

export interface ModelSize {
  readonly writers: number;
  readonly readers: number;
  readonly losses: number;
}

const PROCESSES = 2;
const FIRST_VERSION: Version = [1, 0];

export function protocol({ writers, readers, losses }: ModelSize, fault?: Fault): System<Model> {
  const initial: Model = {
    database: 0,
    acknowledged: 0,
    outbox: [],
    versions: FIRST_VERSION,
    epochs: 1,
    shared: null,
    memory: Array.from({ length: PROCESSES }, () => null),
    flights: Array.from({ length: PROCESSES }, () => null),
    writers: Array.from({ length: writers }, () => ({ at: 'idle', value: 0 })),
    readers: Array.from({ length: readers }, (_, n) => ({
      at: 'idle',
      process: n % PROCESSES,
      floor: 0,
      version: null,
      value: 0,
    })),
    lossesLeft: losses,
  };
  return {
    initial,
    steps: (model) => [
      ...model.writers.flatMap((_, n) => writerSteps(model, n, fault)),
      ...model.readers.flatMap((_, n) => readerSteps(model, n, fault)),
      ...drainerSteps(model, fault),
      ...losingSteps(model),
    ],
  };
}

function writerSteps(model: Model, n: number, fault: Fault | undefined): Step<Model>[] {
  const name = (what: string) => `writer ${n} ${what}`;
  const writer = model.writers[n] as Writer;
  const bumpsFirst = fault === 'the bump comes before the commit';
  const commits = (next: Writer['at']) =>
    step(model, name('commits'), (changed, self = changed.writers[n] as Writer) => {
      self.value = ++changed.database;
      // A fault of the order concerns the API's own bump; the outbox would hide it until it is drained.
      if (!bumpsFirst) changed.outbox.push(self.value);
      self.at = next;
    });
  const bumps = (next: Writer['at']) =>
    step(model, name('bumps'), (changed, self = changed.writers[n] as Writer) => {
      bump(changed, fault);
      changed.outbox = changed.outbox.filter((value) => value !== self.value);
      self.at = next;
    });
  switch (writer.at) {
    case 'idle':
      return [bumpsFirst ? bumps('committing') : commits('bumping')];
    case 'committing':
      return [commits('acknowledging')];
    case 'bumping':
      return [
        bumps('acknowledging'),
        step(model, name('dies before its bump'), (changed) => {
          (changed.writers[n] as Writer).at = 'dead';
        }),
      ];
    case 'acknowledging':
      return [
        step(model, name('is acknowledged'), (changed, self = changed.writers[n] as Writer) => {
          changed.acknowledged = Math.max(changed.acknowledged, self.value);
          Object.assign(self, { at: 'done', value: 0 });
        }),
      ];
    default:
      return [];
  }
}

/** A write whose writer died is seen by the drainer; a reader that begins after that must see it. */
function drainerSteps(model: Model, fault: Fault | undefined): Step<Model>[] {
  return model.outbox.map((value) =>
    step(model, `the drainer bumps for write ${value}`, (changed) => {
      bump(changed, fault);
      changed.outbox = changed.outbox.filter((other) => other !== value);
      changed.acknowledged = Math.max(changed.acknowledged, value);
    }),
  );
}

function readerSteps(model: Model, n: number, fault: Fault | undefined): Step<Model>[] {
  const reader = model.readers[n] as Reader;
  const own = (what: string, change: (model: Model, self: Reader) => void) =>
    step(model, `reader ${n} ${what}`, (changed) => change(changed, changed.readers[n] as Reader));
  switch (reader.at) {
    case 'idle':
      return [
        own('begins and reads the versions', (changed, self) => {
          self.floor = changed.acknowledged;
          self.version = readVersions(changed, fault);
          self.at = 'looking';
        }),
      ];
    case 'looking':
      return [own('looks for an entry', (changed, self) => look(changed, self, n, fault))];
    case 'loading':
      return [
        own('reads the database', (changed, self) => {
          self.value = changed.database;
          self.at = fault === 'versions are read after the load' ? 'late version' : 'keeping';
        }),
      ];
    case 'late version':
      return [
        own('reads the versions again', (changed, self) => {
          self.version = readVersions(changed, fault);
          self.at = 'keeping';
        }),
      ];
    case 'keeping':
      return [own('keeps the entry and answers', (changed, self) => keep(changed, self, n))];
    default:
      return [];
  }
}

function look(model: Model, self: Reader, n: number, fault: Fault | undefined): void {
  const version = self.version as Version;
  const found = [model.memory[self.process], model.shared].find((entry) => entry && same(entry.version, version));
  if (found) {
    model.memory[self.process] = found;
    answer(self, found.value);
    return;
  }
  const flight = model.flights[self.process];
  if (flight && (same(flight.version, version) || fault === 'any load under way is joined')) {
    self.at = 'waiting';
    return;
  }
  model.flights[self.process] ??= { version, reader: n };
  self.at = 'loading';
}

/** Ends the load, for those too who wait for it. */
function keep(model: Model, self: Reader, n: number): void {
  const entry = { version: self.version as Version, value: self.value };
  model.memory[self.process] = entry;
  model.shared = entry;
  if (model.flights[self.process]?.reader === n) {
    model.flights[self.process] = null;
    for (const waiting of model.readers)
      if (waiting.at === 'waiting' && waiting.process === self.process) answer(waiting, self.value);
  }
  answer(self, self.value);
}

function answer(self: Reader, value: number): void {
  if (value < self.floor) throw new Violation(`answered ${value} after ${self.floor} was acknowledged`);
  // What is over is forgotten, so that states that differ in nothing else are one.
  Object.assign(self, { at: 'done', floor: 0, version: null, value: 0 });
}

/** Redis forgets, a process forgets: at any moment, so many times. */
function losingSteps(model: Model): Step<Model>[] {
  if (model.lossesLeft === 0) return [];
  const lose = (what: string, change: (model: Model) => void) =>
    step(model, `${what} is lost`, (changed) => {
      changed.lossesLeft--;
      change(changed);
    });
  return [
    ...(model.versions
      ? [
          lose('the versions key', (changed) => {
            changed.versions = null;
          }),
        ]
      : []),
    ...(model.shared
      ? [
          lose('the entry in Redis', (changed) => {
            changed.shared = null;
          }),
        ]
      : []),
    ...model.memory.flatMap((entry, n) =>
      entry
        ? [
            lose(`the memory of process ${n}`, (changed) => {
              changed.memory[n] = null;
            }),
          ]
        : [],
    ),
  ];
}

function readVersions(model: Model, fault: Fault | undefined): Version {
  model.versions ??= newVersions(model, fault);
  return model.versions;
}

function bump(model: Model, fault: Fault | undefined): void {
  const [epoch, count] = model.versions ?? newVersions(model, fault);
  model.versions = [epoch, count + 1];
}

function newVersions(model: Model, fault: Fault | undefined): Version {
  return fault === 'missing versions begin at zero' ? FIRST_VERSION : [++model.epochs, 0];
}

function same(a: Version, b: Version): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

function step(model: Model, name: string, change: (model: Model) => void): Step<Model> {
  return {
    name,
    take() {
      const changed = copyOf(model);
      change(changed);
      return changed;
    },
  };
}

function copyOf(model: Model): Model {
  return {
    ...model,
    outbox: [...model.outbox],
    memory: [...model.memory],
    flights: [...model.flights],
    writers: model.writers.map((writer) => ({ ...writer })),
    readers: model.readers.map((reader) => ({ ...reader })),
  };
}
