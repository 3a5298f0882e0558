import { type Step, type System, Violation } from './explore.ts';

/**
 * What trust rests on, with loads left out (model.ts has those): a Redis and its replica, which may
 * lag, fail over and fail back; the lease and its term; an outbox relay, which may be replaced by
 * another at any moment; a reader, which may stay on a server that is no master any more; and a
 * writer, whose bump may be lost, or come late. Time passes by ticks, of which a lease and a
 * lease on versions last some; what is kept of time is what is left of each.
 */
export interface TrustModel {
  /** The number of the last committed write, and of the last that was acknowledged. */
  database: number;
  acknowledged: number;
  servers: Server[];
  reader: Reader;
  writer: Writer;
  relay: OutboxRelay | null;
  /** The servers that were announced in `cache_trust`, by their histories. */
  announced: number[];
  /** Until a write past the API must show; null when there is none. */
  pastLeft: number | null;
  failoversLeft: number;
  faultsLeft: number;
}

/** A Redis. One that was made a master has a history of its own. */
interface Server {
  isMaster: boolean;
  history: number;
  counter: number;
  /** The last write that was bumped for, by the API or the relay. */
  marked: number;
  lease: Lease | null;
  /** For how long yet the reader may have a lease on the versions, as far as is known here. */
  listed: number;
}

interface Lease {
  readonly history: number;
  readonly term: number;
  readonly sees: number;
  left: number;
}

interface Version {
  readonly term: number;
  readonly counter: number;
}

interface Reader {
  server: number;
  /** Of the server, when the connection was made. */
  history: number;
  trust: { readonly term: number; left: number } | null;
  versionsLease: { readonly version: Version; left: number } | null;
  memory: { readonly version: Version; readonly value: number } | null;
}

interface Writer {
  at: 'idle' | 'bumping' | 'revoking' | 'waiting';
  server: number;
  /** Until everybody's old trust is over, since the commit. */
  left: number;
  /** The history of the server that has been bumped. */
  bumped: number | null;
  /** A command that was sent, and given up: it may be carried out yet. */
  lateAt: number | null;
}

interface OutboxRelay {
  readonly server: number;
  readonly history: number;
  readonly term: number;
  sees: number;
  /** Since the begin of the poll that saw so much. */
  age: number;
  /** Until the first lease may be given. */
  leaseIn: number;
  /**
   * A poll whose bump the reader has not heard of: it is waited for until its lease is over.
   */
  open: { readonly sees: number; age: number; left: number } | null;
}

export type TrustFault =
  | 'a lease is trusted whatever server it names'
  | 'a failed bump waits for a lease alone'
  | 'a lease speaks of a bump that was not heard of'
  | 'a new term gives a lease at once'
  | 'a bump counts whatever server is trusted'
  | 'the relay passes over every write of the API'
  | 'a versions lease outlasts what the list says of it'
  | 'the relay keeps its own lease';

export interface TrustSize {
  readonly writes: number;
  readonly failovers: number;
  /** How often a bump is lost or late, or a relay is replaced. */
  readonly faults: number;
  /** Whether the reader's process is the relay's: nobody revokes its leases. */
  readonly isRelay?: boolean;
  /**
   * Whether there is a write past the API, which is promised to show when a lease is over. Only
   * without others.
   */
  readonly past?: boolean;
  /** Whether the reader takes leases on versions. True when absent. */
  readonly hasLeases?: boolean;
}

const LEASE = 2;
const VERSIONS_LEASE = 2;

export function trustProtocol(
  { writes, failovers, faults, isRelay, past, hasLeases = true }: TrustSize,
  fault?: TrustFault,
): System<TrustModel> {
  const server = { counter: 0, marked: 0, lease: null, listed: 0, history: 0 };
  return {
    initial: {
      database: 0,
      acknowledged: 0,
      servers: [
        { ...server, isMaster: true },
        { ...server, isMaster: false },
      ],
      reader: { server: 0, history: 0, trust: null, versionsLease: null, memory: null },
      writer: { at: 'idle', server: 0, left: 0, bumped: null, lateAt: null },
      relay: null,
      announced: [],
      pastLeft: null,
      failoversLeft: failovers,
      faultsLeft: faults,
    },
    steps: (model) => [
      ...readerSteps(model, hasLeases, fault),
      ...writerSteps(model, { writes, hasLeases }, fault),
      ...relaySteps(model, fault, isRelay ?? false),
      ...serverSteps(model, hasLeases),
      ...(past && model.database === 0
        ? [
            step(model, 'somebody writes past the API', (changed) => {
              changed.database = 1;
              changed.pastLeft = LEASE;
            }),
          ]
        : []),
      step(model, 'time passes', passTime),
    ],
  };
}

function readerSteps(model: TrustModel, hasLeases: boolean, fault?: TrustFault): Step<TrustModel>[] {
  const { reader } = model;
  const server = model.servers[reader.server] as Server;
  const steps = [
    step(model, 'the reader reads the lease', (changed) => {
      changed.reader.trust = trusted(changed, reader.server, reader.history, reader.trust, fault);
      const goesOn = reader.trust?.term === changed.reader.trust?.term;
      if (!goesOn) changed.reader.versionsLease = null;
    }),
  ];
  if (!server.isMaster)
    steps.push(
      step(model, 'the reader connects to the master', (changed) => {
        const master = masterOf(changed);
        Object.assign(changed.reader, { server: master, history: changed.servers[master]?.history, trust: null });
        changed.reader.versionsLease = null;
      }),
    );
  if (!reader.trust) return steps;
  const { term } = reader.trust;
  if (reader.versionsLease)
    steps.push(
      step(model, 'the reader answers under held versions', (changed) =>
        answer(changed, reader.versionsLease?.version as Version),
      ),
    );
  const version = { term, counter: server.counter };
  steps.push(step(model, 'the reader asks and answers', (changed) => answer(changed, version)));
  if (server.isMaster && hasLeases)
    steps.push(
      step(model, 'the reader asks, takes a lease and answers', (changed) => {
        (changed.servers[reader.server] as Server).listed = VERSIONS_LEASE;
        changed.reader.versionsLease = {
          version,
          left: fault === 'a versions lease outlasts what the list says of it' ? VERSIONS_LEASE + 1 : VERSIONS_LEASE,
        };
        answer(changed, version);
      }),
    );
  return steps;
}

function answer(model: TrustModel, version: Version): void {
  const { reader, database, acknowledged } = model;
  const known = reader.memory;
  if (known?.version.term === version.term && known.version.counter === version.counter) {
    if (known.value < acknowledged)
      throw new Violation(`answered ${known.value} after ${acknowledged} was acknowledged`);
  } else reader.memory = { version, value: database };
}

/**
 * What a process trusts that reads the lease on a server, whose history was another one when it was
 * connected if it changed.
 */
function trusted(
  model: TrustModel,
  at: number,
  history: number,
  now: { readonly term: number; left: number } | null,
  fault?: TrustFault,
): { readonly term: number; left: number } | null {
  const { lease, isMaster, history: itsOwn } = model.servers[at] as Server;
  const isMeant = fault === 'a lease is trusted whatever server it names';
  if (!isMeant && (!isMaster || itsOwn !== history)) return null;
  if (!lease || (!isMeant && lease.history !== history)) return isMeant ? now : null;
  return lease.left > 0 ? { term: lease.term, left: lease.left } : now;
}

function writerSteps(
  model: TrustModel,
  { writes, hasLeases }: { writes: number; hasLeases: boolean },
  fault?: TrustFault,
): Step<TrustModel>[] {
  const { writer } = model;
  const server = model.servers[writer.server] as Server;
  const own = (what: string, change: (model: TrustModel, writer: Writer) => void) =>
    step(model, `the writer ${what}`, (changed) => change(changed, changed.writer));
  const steps: Step<TrustModel>[] = [];
  if (!server.isMaster && writer.at !== 'revoking')
    steps.push(
      own('connects to the master', (changed, self) => {
        self.server = masterOf(changed);
      }),
    );
  if (writer.lateAt !== null)
    steps.push(
      own('has its late bump carried out', (changed, self) => {
        const late = changed.servers[self.lateAt as number] as Server;
        if (late.isMaster) bump(late, changed.database);
        self.lateAt = null;
      }),
    );
  switch (writer.at) {
    case 'idle':
      if (model.database < writes)
        steps.push(
          own('commits', (changed, self) => {
            changed.database++;
            const isShort = fault === 'a failed bump waits for a lease alone' || !hasLeases;
            const left = isShort ? LEASE : LEASE + VERSIONS_LEASE;
            Object.assign(self, { at: 'bumping', left, bumped: null });
          }),
        );
      break;
    case 'waiting':
    case 'bumping': {
      if (server.isMaster)
        steps.push(
          own('bumps', (changed, self) => {
            bump(changed.servers[self.server] as Server, changed.database);
            Object.assign(self, { at: 'revoking', bumped: server.history });
          }),
        );
      if (writer.at === 'bumping') {
        steps.push(own('cannot bump', (_, self) => Object.assign(self, { at: 'waiting' })));
        if (model.faultsLeft > 0)
          steps.push(
            own('gives up a bump that comes late', (changed, self) => {
              changed.faultsLeft--;
              Object.assign(self, { at: 'waiting', lateAt: self.server });
            }),
          );
      }
      const isElsewhere = model.announced.some((history) => history !== writer.bumped);
      if (writer.at === 'waiting' && (writer.left === 0 || !isElsewhere)) steps.push(acknowledge(model));
      break;
    }
    case 'revoking':
      if (server.listed === 0)
        steps.push(
          own('has been heard', (changed, self) => {
            const trust = self.bumped === server.history && trusted(changed, self.server, server.history, null, fault);
            if (fault === 'a bump counts whatever server is trusted' || trust) acknowledgeIn(changed);
            else self.at = 'waiting';
          }),
        );
  }
  return steps;
}

function acknowledge(model: TrustModel): Step<TrustModel> {
  return step(model, 'the write is acknowledged', acknowledgeIn);
}

function acknowledgeIn(model: TrustModel): void {
  model.acknowledged = model.database;
  Object.assign(model.writer, { at: 'idle', left: 0, bumped: null });
}

function relaySteps(model: TrustModel, fault: TrustFault | undefined, isRelay: boolean): Step<TrustModel>[] {
  const { relay } = model;
  if (!relay) return [step(model, 'a relay begins', (changed) => begin(changed, fault))];
  const server = model.servers[relay.server] as Server;
  const isServing = server.isMaster && server.history === relay.history;
  const end = (what: string, cost: number) =>
    step(model, `the relay ${what}`, (changed) => {
      changed.faultsLeft -= cost;
      changed.relay = null;
    });
  if (!isServing) return [end('ends with its server', 0)];
  return [
    ...(model.faultsLeft > 0 ? [end('dies', 1)] : []),
    ...(relay.open
      ? []
      : [
          step(model, 'the relay polls and bumps', (changed) =>
            poll(changed, changed.relay as OutboxRelay, fault, isRelay),
          ),
        ]),
    ...(relay.open && relay.open.left === 0
      ? [
          step(model, 'the relay is done with a poll', (changed) => {
            const self = changed.relay as OutboxRelay;
            Object.assign(self, { sees: self.open?.sees, age: self.open?.age, open: null });
          }),
        ]
      : []),
    ...(relay.leaseIn === 0
      ? [
          step(model, 'the relay gives a lease', (changed) => {
            const { history, term, sees, age } = changed.relay as OutboxRelay;
            (changed.servers[relay.server] as Server).lease = { history, term, sees, left: LEASE - age };
          }),
        ]
      : []),
  ];
}

function begin(model: TrustModel, fault?: TrustFault): void {
  const server = masterOf(model);
  const { history, lease } = model.servers[server] as Server;
  const isOwn = lease && lease.history === history;
  const isElsewhere =
    model.announced.some((other) => other !== history) && fault !== 'a new term gives a lease at once';
  if (!model.announced.includes(history)) model.announced = [...model.announced, history].sort();
  model.relay = {
    server,
    history,
    term: isOwn ? lease.term : newTerm(model),
    sees: isOwn ? lease.sees : model.database,
    age: 0,
    leaseIn: isOwn || !isElsewhere ? 0 : LEASE,
    open: null,
  };
  // One that goes on has yet to see what came since; a lease of before says of itself when it was.
  if (isOwn) model.relay.age = LEASE;
}

function poll(model: TrustModel, self: OutboxRelay, fault: TrustFault | undefined, isRelay: boolean): void {
  const server = model.servers[self.server] as Server;
  const sees = model.database;
  const isPast = model.pastLeft !== null; // without an id there is no mark
  const isNew = sees > self.sees && (isPast || server.marked < sees);
  if (!isNew || fault === 'the relay passes over every write of the API') {
    Object.assign(self, { sees, age: 0 });
    return;
  }
  if (isPast) server.counter++;
  else bump(server, sees);
  if (isRelay && fault !== 'the relay keeps its own lease') {
    model.reader.versionsLease = null;
    server.listed = 0;
  }
  const isWaitedFor = fault !== 'a lease speaks of a bump that was not heard of' && !isRelay;
  self.open = { sees, age: 0, left: isWaitedFor ? server.listed : 0 };
}

/** By whoever comes first: the other one finds the mark. */
function bump(server: Server, write: number): void {
  if (server.marked >= write) return;
  server.counter++;
  server.marked = write;
}

function serverSteps(model: TrustModel, hasLeases: boolean): Step<TrustModel>[] {
  const master = masterOf(model);
  const replica = 1 - master;
  const steps: Step<TrustModel>[] = [];
  // A demoted master has its data replaced after each process there has asked for its role, which
  // is ten times a second.
  const isOfUse = model.failoversLeft > 0 || model.reader.server === replica;
  if (isOfUse && (model.reader.server !== replica || !model.reader.trust))
    steps.push(
      step(model, 'the replica has what the master has', (changed) => {
        const { counter, marked, lease, listed } = changed.servers[master] as Server;
        Object.assign(changed.servers[replica] as Server, { counter, marked, lease: lease && { ...lease }, listed });
      }),
    );
  if (model.reader.versionsLease && (model.servers[model.reader.server] as Server).listed > 0)
    steps.push(
      step(model, 'the reader hears a revocation', (changed) => {
        changed.reader.versionsLease = null;
        (changed.servers[changed.reader.server] as Server).listed = 0;
        if (changed.relay?.open) changed.relay.open.left = 0;
      }),
    );
  if (model.failoversLeft > 0)
    steps.push(
      step(model, 'the replica takes over as it is', (changed) => {
        changed.failoversLeft--;
        const histories = changed.servers.map(({ history }) => history);
        (changed.servers[master] as Server).isMaster = false;
        // Whoever has a lease on what was bumped on the old server is in no list of the new one,
        // which waits for as long.
        Object.assign(changed.servers[replica] as Server, {
          isMaster: true,
          history: Math.max(...histories) + 1,
          listed: hasLeases ? VERSIONS_LEASE : 0,
        });
      }),
    );
  return steps;
}

function passTime(model: TrustModel): void {
  const { reader, writer, relay } = model;
  const less = (left: number) => Math.max(0, left - 1);
  for (const server of model.servers) {
    server.listed = less(server.listed);
    if (server.lease) server.lease.left = less(server.lease.left);
  }
  writer.left = less(writer.left);
  if (model.pastLeft !== null) {
    model.pastLeft = less(model.pastLeft);
    if (model.pastLeft === 0) model.acknowledged = 1;
  }
  if (reader.trust) {
    reader.trust.left = less(reader.trust.left);
    if (reader.trust.left === 0) reader.trust = null;
  }
  if (reader.versionsLease) {
    reader.versionsLease.left = less(reader.versionsLease.left);
    if (reader.versionsLease.left === 0) reader.versionsLease = null;
  }
  if (!relay) return;
  relay.leaseIn = less(relay.leaseIn);
  relay.age = Math.min(LEASE, relay.age + 1);
  if (relay.open) {
    relay.open.left = less(relay.open.left);
    relay.open.age = Math.min(LEASE, relay.open.age + 1);
  }
}

function masterOf({ servers }: TrustModel): number {
  return servers.findIndex(({ isMaster }) => isMaster);
}

function newTerm({ servers, reader, relay }: TrustModel): number {
  const used = [
    ...servers.map(({ lease }) => lease?.term),
    ...[reader.trust?.term, reader.versionsLease?.version.term, reader.memory?.version.term, relay?.term],
  ];
  let term = 1;
  while (used.includes(term)) term++;
  return term;
}

function step(model: TrustModel, name: string, change: (model: TrustModel) => void): Step<TrustModel> {
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

/**
 * An answer of a term that is nowhere any more is as good as none: so states that differ in it are
 * one.
 */
function forgetDead({ servers, reader, relay }: TrustModel): void {
  const terms = [
    ...servers.map(({ lease }) => lease?.term),
    reader.trust?.term,
    reader.versionsLease?.version.term,
    relay?.term,
  ];
  if (reader.memory && !terms.includes(reader.memory.version.term)) reader.memory = null;
}

function copyOf(model: TrustModel): TrustModel {
  const { reader, relay } = model;
  return {
    ...model,
    servers: model.servers.map((server) => ({ ...server, lease: server.lease && { ...server.lease } })),
    reader: {
      ...reader,
      trust: reader.trust && { ...reader.trust },
      versionsLease: reader.versionsLease && { ...reader.versionsLease },
    },
    writer: { ...model.writer },
    relay: relay && { ...relay, open: relay.open && { ...relay.open } },
  };
}
