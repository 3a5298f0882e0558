import { type Step, type System, Violation } from './explore.ts';

/**
 * The cache's protocol with everything left out that no interleaving depends on: one tenant, one
 * namespace, one key, the row as a number that every write makes larger. Two processes with a
 * memory tier each share one Redis; readers belong to either, writers to one. A process that was
 * told the versions has a lease on them, and takes them for current without asking; a bump revokes
 * the lease. What can be lost is lost at any moment: the versions with the list of leases, the
 * entry, a memory tier, a writer between its commit and its bump. Time is that a lease runs out, at
 * any moment: in the process first, and then in the list.
 */
export interface Model {
  /** What the database leases: the number of the last committed write. */
  database: number;
  /** The largest write that was acknowledged to its client. */
  acknowledged: number;
  /** Writes whose row is in the outbox. */
  outbox: Row[];
  versions: Version | null;
  /** What each process takes for current without asking Redis. */
  leases: (VersionsLease | null)[];
  shared: Entry | null;
  memory: (Entry | null)[];
  /** One load under way for each process. */
  loads: (Load | null)[];
  writers: Writer[];
  readers: Reader[];
  lossesLeft: number;
}

/**
 * Epoch and counter in one, since only equality counts: a new one is a number that is nowhere in
 * the system any more.
 */
type Version = number;

/** A row that was bumped for is waited for until no process has a lease of before. */
interface Row {
  readonly value: number;
  readonly revoked: number[] | null;
}

interface VersionsLease {
  readonly version: Version;
  /** Whether Redis knows of it: its list is lost with the versions. */
  readonly isListed: boolean;
}

interface Entry {
  readonly version: Version;
  readonly value: number;
}

interface Load {
  readonly version: Version;
  readonly reader: number;
}

interface Writer {
  at: 'idle' | 'bumping' | 'committing' | 'revoking' | 'acknowledging' | 'done' | 'dead';
  value: number;
  /** Processes that have yet to say that they have no lease from before its bump. */
  revoked: number[];
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
  | 'a bump waits for nobody with a lease'
  | 'a bump revokes only the leases that the last one did not'
  | 'a list of leases that was lost is taken for an empty one'
  | 'a lease is taken on an answer that a revocation overtook';

export interface ModelSize {
  readonly writers: number;
  readonly readers: number;
  /** How often something is lost, dies, or is later than anybody should be. */
  readonly losses: number;
  /**
   * Whether processes have a lease on the versions and an answer under them when it begins, as if
   * readers had been there before.
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
    leases: Array.from({ length: PROCESSES }, () => (isWarm ? { version: FIRST_VERSION, isListed: true } : null)),
    memory: Array.from({ length: PROCESSES }, () => entry),
    loads: Array.from({ length: PROCESSES }, () => null),
    writers: Array.from({ length: writers }, () => ({ at: 'idle', value: 0, revoked: [] })),
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
      ...relaySteps(model, fault),
      ...leaseSteps(model),
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
      // relayed.
      if (!bumpsFirst) changed.outbox.push({ value: self.value, revoked: null });
      self.at = next;
    });
  const bumps = (next: Writer['at']) =>
    step(model, name('bumps'), (changed, self = changed.writers[n] as Writer) => {
      self.revoked = bump(changed, fault, WRITING_PROCESS);
      if (fault !== 'nobody is told of a bump')
        changed.leases[WRITING_PROCESS] = { version: changed.versions as Version, isListed: true };
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
        bumps('revoking'),
        ...(model.lossesLeft > 0
          ? [
              step(model, name('dies before its bump'), (changed) => {
                changed.lossesLeft--;
                Object.assign(changed.writers[n] as Writer, { at: 'dead', value: 0 });
              }),
            ]
          : []),
      ];
    case 'revoking':
      return writer.revoked.length > 0 && fault !== 'a bump waits for nobody with a lease'
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
 * A write whose writer died is seen by the relay; a reader that begins after that must see it.
 */
function relaySteps(model: Model, fault: Fault | undefined): Step<Model>[] {
  return model.outbox.flatMap(({ value, revoked }, n) => {
    if (revoked === null) {
      // One that lives bumps itself, unless it is late.
      const isLate = model.writers.some((writer) => writer.value === value);
      if (isLate && model.lossesLeft === 0) return [];
      return [
        step(model, `the relay bumps for write ${value}`, (changed) => {
          if (isLate) changed.lossesLeft--;
          changed.outbox[n] = { value, revoked: bump(changed, fault) };
        }),
      ];
    }
    if (revoked.length > 0 && fault !== 'a bump waits for nobody with a lease') return [];
    return [
      step(model, `the relay is done with write ${value}`, (changed) => {
        changed.outbox.splice(n, 1);
        changed.acknowledged = Math.max(changed.acknowledged, value);
      }),
    ];
  });
}

/**
 * A process hears revocations, or its time is over and nobody waits for it any longer. Time that is
 * over with nobody waiting shows in nothing but in a reader that asks although it has a lease.
 */
function leaseSteps(model: Model): Step<Model>[] {
  const revoked = new Set([...model.writers, ...model.outbox].flatMap((bump) => bump.revoked ?? []));
  return [...revoked].map((process) =>
    step(model, `process ${process} hears a revocation, or its lease runs out`, (changed) => {
      changed.leases[process] = null;
      const others = (revoked: number[]) => revoked.filter((other) => other !== process);
      for (const writer of changed.writers) writer.revoked = others(writer.revoked);
      changed.outbox = changed.outbox.map((row) => ({ ...row, revoked: row.revoked && others(row.revoked) }));
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
          self.at = fault === 'a lease is taken on an answer that a revocation overtook' ? 'asking' : 'looking';
          changed.leases[self.process] = { version: self.version, isListed: true };
        }),
        ...(model.leases[reader.process]
          ? [
              own('begins under the versions that are leased', (changed, self) => {
                self.floor = changed.acknowledged;
                self.version = (changed.leases[self.process] as VersionsLease).version;
                self.at = 'looking';
              }),
            ]
          : []),
      ];
    case 'asking':
      return [
        own('has the answer of Redis', (changed, self) => {
          changed.leases[self.process] ??= { version: self.version as Version, isListed: true };
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
  const running = model.loads[self.process];
  if (running && (running.version === version || fault === 'any load under way is joined')) {
    self.at = 'waiting';
    return;
  }
  model.loads[self.process] ??= { version, reader: n };
  self.at = 'loading';
}

/** Ends the load, for those too who wait for it. */
function keep(model: Model, self: Reader, n: number): void {
  const entry = { version: self.version as Version, value: self.value };
  model.memory[self.process] = entry;
  model.shared = entry;
  if (model.loads[self.process]?.reader === n) {
    model.loads[self.process] = null;
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
            changed.leases = changed.leases.map((lease) => lease && { ...lease, isListed: false });
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
 * @returns the processes that are waited for: those with a lease, also where the list that had them
 *   is lost
 */
function bump(model: Model, fault: Fault | undefined, own?: number): number[] {
  model.versions = newVersion(model);
  if (fault === 'nobody is told of a bump') return [];
  const revoked = [...model.leases.keys()].filter((process) => {
    const lease = model.leases[process];
    return lease && process !== own && (lease.isListed || !isListBelieved(fault));
  });
  if (fault === 'a bump revokes only the leases that the last one did not')
    model.leases = model.leases.map((lease) => lease && { ...lease, isListed: false });
  return revoked;
}

function isListBelieved(fault: Fault | undefined): boolean {
  return (
    fault === 'a list of leases that was lost is taken for an empty one' ||
    fault === 'a bump revokes only the leases that the last one did not'
  );
}

function newVersion(model: Model): Version {
  const used = usedVersions(model);
  let version = FIRST_VERSION + 1;
  while (used.has(version)) version++;
  return version;
}

/** Those that something may yet be compared with. */
function usedVersions({ versions, leases, loads, readers }: Model): Set<Version | null | undefined> {
  const all = [...leases, ...loads, ...readers].map((each) => each?.version);
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
    leases: [...model.leases],
    memory: [...model.memory],
    loads: [...model.loads],
    writers: model.writers.map((writer) => ({ ...writer })),
    readers: model.readers.map((reader) => ({ ...reader })),
  };
}
