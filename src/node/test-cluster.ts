/**
 * Support of the tests of the cluster part and of MIGRATE: nodes without a dispatcher, whose
 * connections are queues in one virtual world. Time passes only when a test says so.
 */
import { type MonoMs, addMs, monoMs, seededRng, unixMs } from '../base/index.ts';
import {
  type Command,
  CommandTable,
  ServerStats,
  Session,
  commandSpecs,
} from '../commands/index.ts';
import { ConfigStore, type Settings, defaultSettings } from '../config/index.ts';
import { Keyspace } from '../keyspace/index.ts';
import { ReplyBufferPool, ReplyWriter, Request } from '../resp/index.ts';
import { ClusterPart } from './cluster.ts';
import type { ClusterHost } from './cluster-host.ts';
import type { Inside } from './inside.ts';
import { Migrator } from './migrate.ts';
import type { Files, Ports, Wire, WireEvents } from './ports.ts';
import { TEST_USER } from './test-user.ts';

const UNIX_START = 1_700_000_000_000;
const IP = '127.0.0.1';
const TICK_MS = 10;

export class TestSession extends Session {
  isGone = false;

  constructor(id: number) {
    const reply = new ReplyWriter(new ReplyBufferPool(), () => undefined);
    super({ id, reply, address: '', localAddress: '', now: monoMs(0), user: TEST_USER });
  }

  readonly inputBytes = 0;
  readonly inputCapacity = 0;
  readonly outputBytes = 0;
  readonly fd = 1;

  closeAfterReply(): void {
    this.isGone = true;
  }

  close(): void {
    this.isGone = true;
  }

  /** All replies so far, which are forgotten. */
  take(): string {
    const text = this.reply.pending.toString('latin1', 0, this.reply.length);
    this.reply.clear();
    return text;
  }
}

class TestWire implements Wire {
  readonly remoteIp = IP;
  readonly remotePort = 1;
  readonly localIp = IP;
  readonly localPort = 2;
  readonly isUnixSocket = false;
  readonly fd = 3;
  readonly pendingBytes = 0;
  peer: TestWire | undefined;
  events: WireEvents | undefined;
  isClosed = false;
  readonly #world: ClusterWorld;
  readonly #waiting: Buffer[] = [];

  constructor(world: ClusterWorld) {
    this.#world = world;
  }

  /** Before the connection stands, bytes wait. */
  write(buf: Buffer, size: number): boolean {
    this.#waiting.push(Buffer.from(buf.subarray(0, size)));
    if (this.peer !== undefined) this.flush();
    return true;
  }

  flush(): void {
    const { peer } = this;
    for (const bytes of this.#waiting.splice(0)) {
      this.#world.later(() => {
        if (peer !== undefined && !peer.isClosed) peer.events?.data(bytes, bytes.length);
      });
    }
  }

  pause(): void {}
  resume(): void {}

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    const { peer } = this;
    this.#world.later(() => this.events?.closed(undefined));
    this.#world.later(() => peer?.destroy());
  }
}

/** Answers what comes on a data connection to a port. */
export type DataServer = (wire: Wire) => WireEvents;

export class ClusterWorld {
  now: MonoMs = monoMs(1000);
  readonly nodes: ClusterTestNode[] = [];
  readonly servers: Map<number, DataServer> = new Map<number, DataServer>();
  /** What happened, in order: `save`, `send` and the like with the node's port before it. */
  readonly events: string[] = [];
  #queue: (() => void)[] = [];

  later(event: () => void): void {
    this.#queue.push(event);
  }

  /** A node that is not started. */
  node(settings: Partial<Settings> = {}): ClusterTestNode {
    const node = new ClusterTestNode(this, 7000 + this.nodes.length, settings);
    this.nodes.push(node);
    return node;
  }

  settle(): void {
    while (this.#queue.length > 0) for (const event of this.#queue.splice(0)) event();
  }

  advance(ms: number): void {
    const end = addMs(this.now, ms);
    this.settle();
    while (this.now < end) {
      this.now = addMs(this.now, TICK_MS);
      for (const node of this.nodes) if (node.isUp) node.tick();
      this.settle();
    }
  }

  until(isDone: () => boolean, limitMs = 20_000): void {
    const end = addMs(this.now, limitMs);
    while (!isDone()) {
      if (this.now > end) throw new Error(`not so after ${limitMs} ms: ${isDone.toString()}`);
      this.advance(TICK_MS);
    }
  }

  connect(target: { host: string; port: number; purpose: string }, events: WireEvents): Wire {
    const near = new TestWire(this);
    near.events = events;
    this.later(() => {
      if (near.isClosed) return;
      const far = new TestWire(this);
      const accepted = this.#accept(target.port, far);
      if (accepted === undefined) {
        near.isClosed = true;
        return events.closed('Connection refused');
      }
      far.events = accepted;
      far.peer = near;
      near.peer = far;
      events.opened?.();
      near.flush();
    });
    return near;
  }

  #accept(port: number, wire: Wire): WireEvents | undefined {
    const server = this.servers.get(port);
    if (server !== undefined) return server(wire);
    return this.nodes.find((node) => node.port + 10000 === port && node.isUp)?.part.acceptBus(wire);
  }
}

/** A node as the cluster part sees it. */
export class ClusterTestNode {
  readonly port: number;
  readonly settings: Settings;
  readonly part: ClusterPart;
  readonly migrator: Migrator;
  readonly keyspace: Keyspace;
  readonly session: TestSession = new TestSession(1);
  readonly table: CommandTable = new CommandTable(commandSpecs);
  readonly logs: string[] = [];
  readonly propagated: (readonly (Buffer | string)[])[] = [];
  isUp = false;
  isStalled = false;
  isHalted = false;
  saveFailure: string | undefined;
  file: string | undefined;
  offset = 0;
  master: { host: string; port: number } | undefined;
  readonly #world: ClusterWorld;
  readonly #request: Request = new Request();

  constructor(world: ClusterWorld, port: number, settings: Partial<Settings>) {
    this.#world = world;
    this.port = port;
    const config = new ConfigStore({
      ...defaultSettings(),
      port,
      'cluster-enabled': true,
      'cluster-node-timeout': 1000,
      ...settings,
    });
    this.settings = config.settings;
    const rng = seededRng(port);
    this.keyspace = new Keyspace({
      rng,
      clusterMode: true,
      databases: 1,
      hooks: { expired() {}, touched() {}, replaced() {}, rubbish() {} },
    });
    const inside = this.#inside(config);
    const host = this.#host();
    this.part = new ClusterPart(inside, {
      host,
      replication: this.#replication(),
      table: this.table,
    });
    this.migrator = new Migrator(inside, host);
  }

  start(): string | undefined {
    const refusal = this.part.readNodes();
    if (refusal === undefined) this.part.start(true);
    this.isUp = refusal === undefined;
    return refusal;
  }

  stop(): void {
    this.isUp = false;
    this.part.stop();
  }

  tick(): void {
    this.part.tickIfDue(this.#world.now);
    this.migrator.tick(this.#world.now);
  }

  get id(): string {
    return this.part.machine.myself.id;
  }

  set(key: string, value: string): void {
    const keyBytes = Buffer.from(key);
    const buf = Buffer.from(value);
    this.keyspace.db(0).setString(keyBytes, 0, keyBytes.length, { buf, at: 0, size: buf.length });
  }

  has(key: string): boolean {
    return this.keyspace.db(0).find(Buffer.from(key), 0, key.length) !== 0;
  }

  /** What the router says of a request. */
  route(...args: string[]): string | undefined {
    return this.routeAs(this.commandOf(args).flags, ...args);
  }

  /** The same for a call with flags of its own, as a script's. */
  routeAs(flags: number, ...args: string[]): string | undefined {
    this.#request.load(args);
    return this.part.redirect(this.session, this.commandOf(args), this.#request, flags);
  }

  commandOf(args: readonly string[]): Command {
    const found = this.table.byName(args[0] ?? '');
    if (found === undefined) throw new Error(`no command ${args[0]}`);
    return found;
  }

  #inside(config: ConfigStore): Inside {
    const world = this.#world;
    const inside: Partial<Inside> = {
      config,
      settings: config.settings,
      keyspace: this.keyspace,
      stats: new ServerStats(),
      ports: this.#ports(),
      log: (_level, text) => this.logs.push(text),
      rearm: () => undefined,
      client: () => this.session as unknown as ReturnType<Inside['client']>,
      unblock: (client) => {
        client.blocked = undefined;
      },
    };
    Object.defineProperty(inside, 'now', { get: () => world.now });
    return inside as Inside;
  }

  #ports(): Ports {
    const world = this.#world;
    const files: Pick<Files, 'read' | 'replace' | 'readState' | 'saveState'> = {
      read: () => this.file,
      replace: () => undefined,
      readState: () => this.file,
      saveState: (_name, text, manner) => {
        world.events.push(`${this.port} ${manner === 'soon' ? 'save' : 'sync'}`);
        if (this.saveFailure === undefined) this.file = text;
        return this.saveFailure;
      },
    };
    const ports: Partial<Ports> = {
      clock: {
        monoMs: () => world.now,
        monoUs: () => world.now * 1000,
        unixMs: () => unixMs(UNIX_START + world.now),
      },
      rng: seededRng(this.port),
      network: {
        connect: (target, events) => {
          const wire = world.connect(target, events);
          const write = wire.write.bind(wire);
          wire.write = (buf, size) => {
            world.events.push(`${this.port} send`);
            return write(buf, size);
          };
          return wire;
        },
      },
      // No large files in these tests.
      files: files as Files,
    };
    return ports as Ports;
  }

  #host(): ClusterHost {
    return {
      pauseWrites: () => this.#world.events.push(`${this.port} pause`),
      unpauseWrites: () => this.#world.events.push(`${this.port} unpause`),
      stall: () => {
        this.isStalled = true;
      },
      resume: () => {
        this.isStalled = false;
      },
      releaseWrites: () => undefined,
      publishLocal: (channel, message) =>
        this.#world.events.push(`${this.port} ${channel.toString()} ${message.toString()}`),
      dropShardChannels: () => undefined,
      propagate: (_db, args) => this.propagated.push(args),
      notifyDeleted: () => undefined,
      halt: () => {
        this.isHalted = true;
        this.isUp = false;
      },
    };
  }

  #replication(): ConstructorParameters<typeof ClusterPart>[1]['replication'] {
    return {
      view: {
        replOffset: () => this.offset,
        masterSilenceMs: () => (this.master === undefined ? undefined : 0),
        masterAddress: () => this.master,
      },
      source: { arePingsHeld: false, areSyncsRefused: false },
      onProgress: undefined,
      onReplaced: undefined,
      slotMarks: undefined,
      follow: (host, port) => {
        this.master = { host, port };
        const master = this.#world.nodes.find((node) => node.port === port);
        this.offset = master?.offset ?? 0;
      },
      promote: () => {
        this.master = undefined;
      },
      feed: () => undefined,
      requestAcks: () => undefined,
      acknowledgedCount: () => 0,
      onlineCount: 0,
    };
  }
}

/** Three masters with a third of the slots each, and `replicaCount` replicas of the first. */
export function startCluster(
  world: ClusterWorld,
  replicaCount: number,
  settings: Partial<Settings> = {},
): ClusterTestNode[] {
  const nodes = Array.from({ length: 3 + replicaCount }, () => world.node(settings));
  for (const node of nodes) node.start();
  const [first] = nodes;
  for (const [i, node] of nodes.entries()) {
    node.offset = 100;
    node.part.run({ kind: 'setConfigEpoch', epoch: i + 1 });
    if (i < 3) node.part.run({ kind: 'addSlots', slots: thirdOfSlots(i) });
    if (i > 0) {
      first!.part.run({ kind: 'meet', ip: IP, port: node.port, busPort: node.port + 10000 });
    }
  }
  const all = nodes.length;
  world.until(() => nodes.every(({ part }) => part.machine.nodes.length === all));
  world.until(() => nodes.every(({ part }) => part.machine.nodes.every((n) => !n.inHandshake)));
  for (const node of nodes.slice(3)) node.part.run({ kind: 'replicate', nodeId: first!.id });
  world.until(() => nodes.every(({ part }) => part.machine.state === 'ok'));
  world.advance(1000);
  return nodes;
}

function thirdOfSlots(third: number): number[] {
  const bounds = [0, 5461, 10923, 16384];
  const first = bounds[third]!;
  return Array.from({ length: bounds[third + 1]! - first }, (_, i) => first + i);
}
