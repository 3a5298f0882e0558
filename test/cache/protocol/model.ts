import { type Step, type System, Violation } from './explore.ts';

/**
 * The cache's protocol with everything left out that no interleaving depends on: one tenant, one
 * namespace, one key, the row as a number that every write makes larger. Two processes with a
 * memory tier each share one Redis; readers belong to either, writers to one. A process that was
 * told the versions holds them, and takes them for current without asking; a bump recalls them.
 * What can be lost is lost at any moment: the versions with the list of who holds them, the entry,
 * a memory tier, a writer between its commit and its bump. Time is that a hold runs out, at any
 * moment: in the process first, and then in the list.
 */
export interface Model {
  /** What the database holds: the number of the last committed write. */
  database: number;
  /** The largest write that was acknowledged to its client. */
  acknowledged: number;
  /** Writes whose row is in the outbox. */
  outbox: Row[];
  versions: Version | null;
  /** What each process takes for current without asking Redis. */
  holds: (Hold | null)[];
  shared: Entry | null;
  memory: (Entry | null)[];
  /** One load under way for each process. */
  flights: (Flight | null)[];
  writers: Writer[];
  readers: Reader[];
  lossesLeft: number;
}

/**
 * Epoch and counter in one, since only equality counts: a new one is a number that is nowhere in
 * the system any more.
 */
type Version = number;

/** A row that was bumped for is waited for until no process holds what was before. */
interface Row {
  readonly value: number;
  readonly recalled: number[] | null;
}

interface Hold {
  readonly version: Version;
  /** Whether Redis knows of it: its list is lost with the versions. */
  readonly isListed: boolean;
}

interface Entry {
  readonly version: Version;
  readonly value: number;
}

interface Flight {
  readonly version: Version;
  readonly reader: number;
}

interface Writer {
  at: 'idle' | 'bumping' | 'committing' | 'recalling' | 'acknowledging' | 'done' | 'dead';
  value: number;
  /** Processes that have yet to say that they hold nothing from before its bump. */
  recalled: number[];
}

interface Reader {
  at: 'idle' | 'asking' | 'looking' | 'loading' | 'keeping' | 'waiting' | 'late version' | 'done';
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
  | 'any load under way is joined'
  | 'nobody is told of a bump'
  | 'a bump waits for nobody who holds'
  | 'a bump recalls only what the last one did not'
  | 'a list of holders that was lost is taken for an empty one'
  | 'an answer that a recall overtook is held';

export interface ModelSize {
  readonly writers: number;
  readonly readers: number;
  /** How often something is lost, dies, or is later than anybody should be. */
  readonly losses: number;
  /**
   * Whether processes hold the versions and an answer under them when it begins, as if readers had
   * been there before.
   */
  readonly isWarm: boolean;
}

const PROCESSES = 2;
/** The first reader belongs to the other one. */
const WRITING_PROCESS = 1;
const FIRST_VERSION: Version = 0;

export function protocol({ writers, readers, losses, isWarm }: ModelSize, fault?: Fault): System<Model> {
  const entry = isWarm ? { version: FIRST_VERSION, value: 0 } : null;
  const initial: Model = {
    database: 0,
    acknowledged: 0,
    outbox: [],
    versions: FIRST_VERSION,
    shared: entry,
    holds: Array.from({ length: PROCESSES }, () => (isWarm ? { version: FIRST_VERSION, isListed: true } : null)),
    memory: Array.from({ length: PROCESSES }, () => entry),
    flights: Array.from({ length: PROCESSES }, () => null),
    writers: Array.from({ length: writers }, () => ({ at: 'idle', value: 0, recalled: [] })),
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
      ...holdSteps(model),
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
      // A fault of the order concerns the API's own bump; the outbox would hide it until it is
      // drained.
      if (!bumpsFirst) changed.outbox.push({ value: self.value, recalled: null });
      self.at = next;
    });
  const bumps = (next: Writer['at']) =>
    step(model, name('bumps'), (changed, self = changed.writers[n] as Writer) => {
      self.recalled = bump(changed, fault, WRITING_PROCESS);
      if (fault !== 'nobody is told of a bump')
        changed.holds[WRITING_PROCESS] = { version: changed.versions as Version, isListed: true };
      changed.outbox = changed.outbox.filter(({ value }) => value !== self.value);
      self.at = next;
    });
  switch (writer.at) {
    case 'idle':
      return [bumpsFirst ? bumps('committing') : commits('bumping')];
    case 'committing':
      return [commits('acknowledging')];
    case 'bumping':
      return [
        bumps('recalling'),
        ...(model.lossesLeft > 0
          ? [
              step(model, name('dies before its bump'), (changed) => {
                changed.lossesLeft--;
                Object.assign(changed.writers[n] as Writer, { at: 'dead', value: 0 });
              }),
            ]
          : []),
      ];
    case 'recalling':
      return writer.recalled.length > 0 && fault !== 'a bump waits for nobody who holds'
        ? []
        : [
            step(model, name('has been heard'), (changed) => {
              (changed.writers[n] as Writer).at = 'acknowledging';
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

/**
 * A write whose writer died is seen by the drainer; a reader that begins after that must see it.
 */
function drainerSteps(model: Model, fault: Fault | undefined): Step<Model>[] {
  return model.outbox.flatMap(({ value, recalled }, n) => {
    if (recalled === null) {
      // One that lives bumps itself, unless it is late.
      const isLate = model.writers.some((writer) => writer.value === value);
      if (isLate && model.lossesLeft === 0) return [];
      return [
        step(model, `the drainer bumps for write ${value}`, (changed) => {
          if (isLate) changed.lossesLeft--;
          changed.outbox[n] = { value, recalled: bump(changed, fault) };
        }),
      ];
    }
    if (recalled.length > 0 && fault !== 'a bump waits for nobody who holds') return [];
    return [
      step(model, `the drainer is done with write ${value}`, (changed) => {
        changed.outbox.splice(n, 1);
        changed.acknowledged = Math.max(changed.acknowledged, value);
      }),
    ];
  });
}

/**
 * A process hears recalls, or its time is over and nobody waits for it any longer. Time that is
 * over with nobody waiting shows in nothing but in a reader that asks although something is held.
 */
function holdSteps(model: Model): Step<Model>[] {
  const recalled = new Set([...model.writers, ...model.outbox].flatMap((bump) => bump.recalled ?? []));
  return [...recalled].map((process) =>
    step(model, `process ${process} hears a recall, or its hold runs out`, (changed) => {
      changed.holds[process] = null;
      const others = (recalled: number[]) => recalled.filter((other) => other !== process);
      for (const writer of changed.writers) writer.recalled = others(writer.recalled);
      changed.outbox = changed.outbox.map((row) => ({ ...row, recalled: row.recalled && others(row.recalled) }));
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
        own('begins and asks for the versions', (changed, self) => {
          self.floor = changed.acknowledged;
          self.version = readVersions(changed, fault);
          self.at = fault === 'an answer that a recall overtook is held' ? 'asking' : 'looking';
          changed.holds[self.process] = { version: self.version, isListed: true };
        }),
        ...(model.holds[reader.process]
          ? [
              own('begins under the versions that are held', (changed, self) => {
                self.floor = changed.acknowledged;
                self.version = (changed.holds[self.process] as Hold).version;
                self.at = 'looking';
              }),
            ]
          : []),
      ];
    case 'asking':
      return [
        own('has the answer of Redis', (changed, self) => {
          changed.holds[self.process] ??= { version: self.version as Version, isListed: true };
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
  const found = [model.memory[self.process], model.shared].find((entry) => entry?.version === version);
  if (found) {
    model.memory[self.process] = found;
    answer(self, found.value);
    return;
  }
  const flight = model.flights[self.process];
  if (flight && (flight.version === version || fault === 'any load under way is joined')) {
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
    ...(model.versions !== null
      ? [
          lose('the versions key', (changed) => {
            changed.versions = null;
            changed.holds = changed.holds.map((hold) => hold && { ...hold, isListed: false });
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
  model.versions ??= fault === 'missing versions begin at zero' ? FIRST_VERSION : newVersion(model);
  return model.versions;
}

/**
 * @returns the processes that are waited for: those that hold, also where the list that had them is
 *   lost
 */
function bump(model: Model, fault: Fault | undefined, own?: number): number[] {
  model.versions = newVersion(model);
  if (fault === 'nobody is told of a bump') return [];
  const recalled = [...model.holds.keys()].filter((process) => {
    const hold = model.holds[process];
    return hold && process !== own && (hold.isListed || !isListBelieved(fault));
  });
  if (fault === 'a bump recalls only what the last one did not')
    model.holds = model.holds.map((hold) => hold && { ...hold, isListed: false });
  return recalled;
}

function isListBelieved(fault: Fault | undefined): boolean {
  return (
    fault === 'a list of holders that was lost is taken for an empty one' ||
    fault === 'a bump recalls only what the last one did not'
  );
}

function newVersion(model: Model): Version {
  const used = usedVersions(model);
  let version = FIRST_VERSION + 1;
  while (used.has(version)) version++;
  return version;
}

/** Those that something may yet be compared with. */
function usedVersions({ versions, holds, flights, readers }: Model): Set<Version | null | undefined> {
  const all = [...holds, ...flights, ...readers].map((holder) => holder?.version);
  return new Set([FIRST_VERSION, versions, ...all]);
}

/**
 * An entry of which nobody will ever find the version current is as good as none: so states that
 * differ in it are one.
 */
function forgetDead(model: Model): void {
  const used = usedVersions(model);
  const alive = (entry: Entry | null) => (entry && used.has(entry.version) ? entry : null);
  model.shared = alive(model.shared);
  model.memory = model.memory.map(alive);
}

function step(model: Model, name: string, change: (model: Model) => void): Step<Model> {
  return {
    name,
    take() {
      const changed = copyOf(model);
      change(changed);
      forgetDead(changed);
      return changed;
    },
  };
}

function copyOf(model: Model): Model {
  return {
    ...model,
    outbox: [...model.outbox],
    holds: [...model.holds],
    memory: [...model.memory],
    flights: [...model.flights],
    writers: model.writers.map((writer) => ({ ...writer })),
    readers: model.readers.map((reader) => ({ ...reader })),
  };
}
