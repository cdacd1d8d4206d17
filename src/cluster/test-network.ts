/**
 * Test support: several machines on one in-memory network with virtual time, and a stand-in for replication that
 * copies a master's offset to its replicas. Deterministic for a seed.
 */
import { type Slot, invariant, monoMs, seededRng, slot, unixMs } from '../base/index.ts';
import type { AdminCommand, AdminResult } from './admin-commands.ts';
import { ClusterMachine } from './core.ts';
import type { Effect } from './effects.ts';
import type { Input } from './inputs.ts';
import { type ClusterRules, redisRules } from './rules.ts';
import type { ClusterOptions, LinkId, Now } from './types.ts';

export const TEST_OPTIONS: ClusterOptions = {
  nodeTimeoutMs: 1000,
  replicaValidityFactor: 10,
  replicaNoFailover: false,
  migrationBarrier: 1,
  allowReplicaMigration: true,
  requireFullCoverage: true,
  announceIp: '',
  announceHostname: '',
  preferredEndpointType: 'ip',
  port: 7000,
  plaintextPort: 0,
  busPort: 17000,
  linkSendBufferBytesMax: 0,
  slotMigrationLogLength: 1000,
  replPingReplicaPeriodMs: 10_000,
};

const LATENCY_MS = 1;
const UNIX_START = 1_700_000_000_000;
const IP = '127.0.0.1';

interface Peer {
  readonly node: TestNode;
  readonly link: LinkId;
}

/** One machine with its fake surroundings. */
export class TestNode {
  readonly index: number;
  readonly machine: ClusterMachine;
  readonly options: ClusterOptions;
  offset = 0;
  keysIn: Map<number, number> = new Map<number, number>();
  masterPort: number | undefined;
  isUp = true;
  isPaused = false;
  pausedUntil = 0;
  bufferedBytes = 0;
  /** Everything that came out, in order. */
  readonly effects: Effect[] = [];
  readonly peers: Map<LinkId, Peer> = new Map<LinkId, Peer>();
  readonly net: TestNetwork;
  isInScript = false;
  /** Undefined until the present master was reached once. */
  lastMasterContact: number | undefined;
  readonly #missed: Input[] = [];

  constructor(net: TestNetwork, index: number, options: Partial<ClusterOptions>) {
    this.net = net;
    this.index = index;
    this.options = { ...TEST_OPTIONS, port: 7000 + index, busPort: 17000 + index, ...options };
    this.machine = new ClusterMachine({
      options: this.options,
      rng: seededRng(net.seed * 100 + index),
      rules: net.rules,
      replication: {
        replOffset: () => this.offset,
        masterSilenceMs: () => net.silenceOf(this),
        masterAddress: () =>
          this.masterPort === undefined ? undefined : { host: IP, port: this.masterPort },
      },
      keys: {
        countKeysInSlot: (index_) => this.keysIn.get(index_) ?? 0,
        dbSize: () => [...this.keysIn.values()].reduce((sum, count) => sum + count, 0),
        isInScript: () => this.isInScript,
      },
      links: { sendBufferBytes: () => this.bufferedBytes },
    });
  }

  get id(): string {
    return this.machine.myself.id;
  }

  step(input: Input): void {
    if (!this.isUp) return;
    if (this.isPaused) this.#missed.push(input);
    else this.carryOut(this.machine.step(this.net.now(), input));
  }

  /** SIGCONT: the clock first, as a shell does that finds itself late, then all that waits in the sockets. */
  resume(): void {
    this.isPaused = false;
    this.step({ kind: 'tick' });
    for (const input of this.#missed.splice(0)) this.step(input);
  }

  admin(command: AdminCommand): AdminResult {
    const { result, effects } = this.machine.admin(this.net.now(), command);
    this.carryOut(effects);
    return result;
  }

  /** A client writes: taken only where a real node would take it. */
  write(): boolean {
    const isServing = this.machine.state === 'ok' && this.machine.myself.slotCount > 0;
    if (!this.isUp || !isServing || this.net.time < this.pausedUntil) return false;
    this.offset += 10;
    this.net.replicate(this);
    return true;
  }

  logNames(): string[] {
    return this.effects.flatMap((effect) => (effect.kind === 'log' ? [effect.event.name] : []));
  }

  carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) {
      this.effects.push(effect);
      this.#carryOutOne(effect);
    }
  }

  #carryOutOne(effect: Effect): void {
    switch (effect.kind) {
      case 'openLink':
        return this.net.connect(this, effect.link, effect.port);
      case 'closeLink':
        return this.net.hangUp(this, effect.link);
      case 'send': {
        const peer = this.peers.get(effect.link);
        if (peer !== undefined) this.net.deliver(this, peer, effect.bytes);
        return;
      }
      case 'setMaster':
        this.masterPort = effect.port;
        this.lastMasterContact = undefined;
        return;
      case 'promote':
        this.masterPort = undefined;
        return;
      case 'pauseWrites':
        this.pausedUntil = effect.until;
        return;
      case 'unpauseWrites':
        this.pausedUntil = 0;
        return;
      case 'deleteKeysInSlot':
        this.keysIn.delete(effect.slot);
        return;
      case 'resetKeyspace':
        this.keysIn.clear();
        return;
      default:
    }
  }
}

interface Happening {
  readonly at: number;
  readonly order: number;
  run(): void;
}

export class TestNetwork {
  readonly seed: number;
  readonly rules: ClusterRules;
  readonly nodes: TestNode[] = [];
  time = 1000;
  /** Pairs "a-b" of node indexes that cannot talk. */
  readonly cut: Set<string> = new Set<string>();
  #happenings: Happening[] = [];
  #order = 0;

  constructor(seed: number, rules: ClusterRules = redisRules) {
    this.seed = seed;
    this.rules = rules;
  }

  now(): Now {
    return { mono: monoMs(this.time), unix: unixMs(UNIX_START + this.time) };
  }

  addNode(options: Partial<ClusterOptions> = {}): TestNode {
    const node = new TestNode(this, this.nodes.length, options);
    this.nodes.push(node);
    return node;
  }

  /** Lets time pass, jumping from one moment at which something happens to the next. */
  run(durationMs: number): void {
    const end = this.time + durationMs;
    while (this.time < end) this.#advance(end);
  }

  /** Lets time pass until then; returns how much did. */
  runUntil(isDone: () => boolean, limitMs: number): number {
    const start = this.time;
    while (!isDone()) {
      invariant(this.time - start < limitMs, 'the awaited state comes in time');
      this.#advance(start + limitMs);
    }
    return this.time - start;
  }

  crash(node: TestNode): void {
    node.isUp = false;
    for (const link of [...node.peers.keys()]) this.hangUp(node, link);
  }

  connect(from: TestNode, link: LinkId, port: number): void {
    this.#later(() => {
      const to = this.nodes.find((node) => node.options.busPort === port);
      if (to === undefined || !to.isUp) return from.step({ kind: 'linkFailed', link });
      // A partition swallows the attempt.
      if (this.#isCut(from, to)) return;
      const inbound = to.machine.newLinkId();
      from.peers.set(link, { node: to, link: inbound });
      to.peers.set(inbound, { node: from, link });
      to.step({ kind: 'inboundLink', link: inbound, remoteIp: IP, localIp: IP });
      from.step({ kind: 'linkOpened', link });
    });
  }

  hangUp(node: TestNode, link: LinkId): void {
    const peer = node.peers.get(link);
    node.peers.delete(link);
    if (peer === undefined) return;
    peer.node.peers.delete(peer.link);
    this.#later(() => peer.node.step({ kind: 'linkClosed', link: peer.link }));
  }

  deliver(from: TestNode, peer: Peer, bytes: Buffer): void {
    if (this.#isCut(from, peer.node)) return;
    this.#later(() => peer.node.step({ kind: 'bytes', link: peer.link, bytes }));
  }

  /** Copies the master's offset to its replicas a moment later. */
  replicate(master: TestNode): void {
    const { offset } = master;
    for (const replica of this.nodes) {
      if (replica.masterPort !== master.options.port || this.#isCut(master, replica)) continue;
      this.#later(() => {
        replica.offset = Math.max(replica.offset, offset);
        replica.step({ kind: 'replicationChanged' });
      });
    }
  }

  /** Replication is in touch whenever master and replica can talk; the offset is copied only after writes. */
  silenceOf(replica: TestNode): number | undefined {
    const master = this.nodes.find((node) => node.options.port === replica.masterPort);
    if (master?.isUp === true && !master.isPaused && !this.#isCut(master, replica)) {
      replica.lastMasterContact = this.time;
    }
    return replica.lastMasterContact === undefined
      ? undefined
      : this.time - replica.lastMasterContact;
  }

  partition(side: readonly TestNode[]): void {
    for (const a of side) {
      for (const b of this.nodes) if (!side.includes(b)) this.cut.add(`${a.index}-${b.index}`);
    }
  }

  heal(): void {
    this.cut.clear();
  }

  /** Does what is due now, then moves the clock to the next moment, at most to `end`. */
  #advance(end: number): void {
    this.#runDue();
    for (const node of this.nodes) this.silenceOf(node);
    let next = end;
    for (const node of this.nodes) {
      if (!node.isUp || node.isPaused) continue;
      const wake = node.machine.nextWake() ?? end;
      if (wake <= this.time) node.step({ kind: 'tick' });
      next = Math.min(next, node.machine.nextWake() ?? end);
    }
    for (const happening of this.#happenings) next = Math.min(next, happening.at);
    this.time = Math.max(this.time + 1, next);
  }

  #isCut(a: TestNode, b: TestNode): boolean {
    return this.cut.has(`${a.index}-${b.index}`) || this.cut.has(`${b.index}-${a.index}`);
  }

  #later(run: () => void): void {
    this.#happenings.push({ at: this.time + LATENCY_MS, order: this.#order++, run });
  }

  #runDue(): void {
    const due = this.#happenings.filter((happening) => happening.at <= this.time);
    if (due.length === 0) return;
    this.#happenings = this.#happenings.filter((happening) => happening.at > this.time);
    due.sort((a, b) => a.at - b.at || a.order - b.order);
    for (const happening of due) happening.run();
  }
}

/** Slots split evenly over `count` masters: those of master `index`. */
export function sharedSlots(index: number, count: number): Slot[] {
  const slots: Slot[] = [];
  const from = Math.floor((index * 16384) / count);
  const to = Math.floor(((index + 1) * 16384) / count);
  for (let i = from; i < to; i++) slots.push(slot(i));
  return slots;
}

export interface TestCluster {
  readonly net: TestNetwork;
  readonly masters: TestNode[];
  readonly replicas: TestNode[];
}

export interface TestClusterSpec {
  readonly seed: number;
  readonly masterCount: number;
  /** Index of the master of each replica. */
  readonly replicaOf: readonly number[];
  readonly options?: Partial<ClusterOptions>;
  readonly rules?: ClusterRules;
  /** All masters start with one configEpoch. */
  readonly isColliding?: boolean;
}

/** A cluster that has met, serves, and replicates. */
export function startTestCluster(spec: TestClusterSpec): TestCluster {
  const net = new TestNetwork(spec.seed, spec.rules ?? redisRules);
  const masters = Array.from({ length: spec.masterCount }, () => net.addNode(spec.options));
  const replicas = spec.replicaOf.map(() => net.addNode(spec.options));
  masters.forEach((node, index) => {
    node.admin({ kind: 'addSlots', slots: sharedSlots(index, spec.masterCount) });
    node.admin({ kind: 'setConfigEpoch', epoch: spec.isColliding === true ? 1 : index + 1 });
  });
  for (const node of net.nodes.slice(1)) {
    const { port, busPort } = node.options;
    net.nodes[0]?.admin({ kind: 'meet', ip: IP, port, busPort });
  }
  const count = net.nodes.length;
  net.runUntil(
    () => net.nodes.every((n) => n.machine.nodes.filter((o) => !o.inHandshake).length === count),
    10_000,
  );
  replicas.forEach((node, index) => {
    const master = masters[spec.replicaOf[index] ?? 0];
    invariant(master !== undefined, 'every replica has a master');
    node.admin({ kind: 'replicate', nodeId: master.id });
  });
  net.runUntil(() => net.nodes.every((node) => node.machine.state === 'ok'), 10_000);
  net.run(2000);
  return { net, masters, replicas };
}
