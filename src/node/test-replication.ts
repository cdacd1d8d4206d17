/**
 * Support of the replication tests: nodes with a tiny command set, whose connections are pairs of queues in one virtual
 * world. Time passes only when a test says so.
 */
import {
  type MonoMs,
  addMs,
  monoMs,
  randomHex,
  replid,
  seededRng,
  unixMs,
  Spares,
} from '../base/index.ts';
import { type Command, ServerStats, type Session, type SystemFacts } from '../commands/index.ts';
import { ConfigStore, defaultSettings } from '../config/index.ts';
import { Keyspace, NONE } from '../keyspace/index.ts';
import { PARSED, ReplyBufferPool, Request, RequestParser, encodeRequest } from '../resp/index.ts';
import { Client, type ClientHost } from './client.ts';
import type { Inside } from './inside.ts';
import { MemoryFiles } from './memory-files.ts';
import type { Ports, Wire, WireEvents } from './ports.ts';
import { ReplicationPart } from './replication.ts';
import { FunctionsPart, type FunctionsHost } from './scripting/functions.ts';
import { TEST_USER } from './test-user.ts';
import { WaitQueue } from './wait-queue.ts';

const EPOCH_UNIX_MS = 1_700_000_000_000;
const PARSER_OPTIONS = { bulkBytesMax: 1 << 29, splitInline: (line: string) => line.split(' ') };
const NO_COMMAND = {} as Command;

export class TestWire implements Wire {
  readonly remoteIp = '10.0.0.1';
  readonly remotePort = 1;
  readonly localIp = '10.0.0.2';
  readonly localPort = 2;
  readonly isUnixSocket = false;
  readonly fd = 3;
  pendingBytes = 0;
  peer: TestWire | undefined;
  events: WireEvents | undefined;
  #isClosed = false;
  readonly #world: TestWorld;

  constructor(world: TestWorld) {
    this.#world = world;
  }

  write(buf: Buffer, size: number): boolean {
    const { peer } = this;
    const bytes = Buffer.from(buf.subarray(0, size));
    this.#world.writtenBytes += size;
    for (let at = 0; at < size; at += this.#world.chunkBytes) {
      const chunk = bytes.subarray(at, at + this.#world.chunkBytes);
      this.#world.later(() => peer?.receive(chunk));
    }
    return true;
  }

  receive(chunk: Buffer): void {
    if (!this.#isClosed) this.events?.data?.(chunk, chunk.length);
  }

  pause(): void {}
  resume(): void {}

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#world.later(() => this.events?.closed(undefined));
    const { peer } = this;
    this.#world.later(() => peer?.destroy());
  }
}

export class TestWorld {
  now: MonoMs = monoMs(1000);
  chunkBytes = 500;
  writtenBytes = 0;
  readonly nodes: TestNode[] = [];
  readonly wires: TestWire[] = [];
  #queue: (() => void)[] = [];

  later(event: () => void): void {
    this.#queue.push(event);
  }

  node(): TestNode {
    const node = new TestNode(this, 7000 + this.nodes.length);
    this.nodes.push(node);
    return node;
  }

  /** Carries out all that waits, without time passing. */
  settle(): void {
    while (this.step());
  }

  /** One turn of every node; false when there is nothing left to do. */
  step(): boolean {
    for (const node of this.nodes) node.work();
    const queue = this.#queue;
    if (queue.length === 0 && this.nodes.every((node) => !node.hasWork)) return false;
    this.#queue = [];
    for (const event of queue) event();
    for (const node of this.nodes) node.flush();
    return true;
  }

  advance(ms: number): void {
    const end = addMs(this.now, ms);
    this.settle();
    while (this.now < end) {
      this.now = addMs(this.now, 50);
      for (const node of this.nodes) node.tick(this.now);
      for (const node of this.nodes) node.flush();
      this.settle();
    }
  }

  connect(port: number, events: WireEvents): Wire {
    const near = new TestWire(this);
    near.events = events;
    const node = this.nodes.find((other) => other.port === port && !other.isDown);
    this.later(() => {
      if (node === undefined) return events.closed('Connection refused');
      const far = new TestWire(this);
      far.peer = near;
      near.peer = far;
      far.events = node.accept(far);
      this.wires.push(near);
      events.opened?.();
    });
    return near;
  }

  /** Breaks all connections there are. */
  cut(): void {
    for (const wire of this.wires.splice(0)) wire.destroy();
    this.settle();
  }
}

export class TestNode {
  isPaused = false;
  readonly port: number;
  isDown = false;
  readonly keyspace: Keyspace;
  readonly config: ConfigStore = new ConfigStore({
    ...defaultSettings(),
    'repl-diskless-sync-delay': 0,
  });
  readonly part: ReplicationPart;
  readonly logs: string[] = [];
  readonly local: Client;
  readonly clients: Map<number, Client> = new Map();
  readonly stats: ServerStats = new ServerStats();
  readonly functions: FunctionsPart;
  readonly unblocked: Session[] = [];
  readonly #world: TestWorld;
  readonly #host: ClientHost;
  readonly #waits: WaitQueue;
  readonly #toFlush: Set<Client> = new Set();
  #work: (() => boolean)[] = [];
  #nextId = 1;

  constructor(world: TestWorld, port: number) {
    this.#world = world;
    this.port = port;
    this.config.assign('port', port);
    this.keyspace = this.#createKeyspace();
    this.functions = new FunctionsPart({
      clock: { monoMs: () => world.now, monoUs: () => world.now * 1000 },
      // No function is called here.
      scripts: {} as FunctionsHost['scripts'],
      log: () => {},
    });
    this.#host = this.#createHost();
    this.#waits = new WaitQueue({
      keyspace: this.keyspace,
      acknowledgedCount: (offset) => this.part.acknowledgedCount(offset),
      unblock: (session) => this.unblocked.push(session),
      rearm: () => {},
      countRefused: () => {},
    });
    this.part = new ReplicationPart(this.#createInside(), {
      handoverAnswered: () => undefined,
      waits: this.#waits,
      replid: replid(randomHex(seededRng(port), 40)),
      turns: { beginTurn: () => {}, endTurn: () => {} },
    });
    this.local = this.#createClient(undefined);
  }

  tick(now: MonoMs): void {
    this.part.tick();
    this.#waits.tick(now);
  }

  get hasWork(): boolean {
    return this.#work.length > 0;
  }

  /** Runs a client's command and answers what it was answered; `undefined` while it waits. */
  run(...words: string[]): string | undefined {
    const bytes = encodeRequest(words);
    this.#execute(this.local, bytes, 0, bytes.length, true);
    const { reply } = this.local;
    const text = reply.pending.toString('latin1', 0, reply.length);
    reply.clear();
    return text === '' ? undefined : text;
  }

  /** What a waiting local client was answered since. */
  answered(): string {
    const { reply } = this.local;
    return reply.pending.toString('latin1', 0, reply.length);
  }

  get(key: string, dbIndex = 0): string | undefined {
    const db = this.keyspace.db(dbIndex);
    const bytes = Buffer.from(key);
    const ref = db.lookup(bytes, 0, bytes.length, 0);
    if (ref === NONE) return undefined;
    const { buf, at, size } = db.entries.stringView(ref);
    return Buffer.from(buf.subarray(at, at + size)).toString('latin1');
  }

  accept(wire: TestWire): Client {
    return this.#createClient(wire);
  }

  work(): void {
    const work = this.#work;
    this.#work = [];
    for (const slice of work) if (slice()) this.#work.push(slice);
    this.flush();
  }

  flush(): void {
    for (const client of this.#toFlush) client.flush();
    this.#toFlush.clear();
  }

  #createKeyspace(): Keyspace {
    const hooks = { expired: () => {}, touched: () => {}, replaced: () => {}, rubbish: () => {} };
    const keyspace = new Keyspace({ rng: seededRng(this.port), hooks });
    keyspace.nowMs = unixMs(EPOCH_UNIX_MS);
    return keyspace;
  }

  #createClient(wire: TestWire | undefined): Client {
    const client = new Client({
      host: this.#host,
      id: this.#nextId++,
      wire,
      facts: wire,
      now: this.#world.now,
    });
    client.isAuthenticated = true;
    this.clients.set(client.id, client);
    return client;
  }

  #createHost(): ClientHost {
    return {
      bufferPool: new ReplyBufferPool(),
      spareInputs: new Spares(0),
      parserOptions: PARSER_OPTIONS,
      defaultUser: TEST_USER,
      queryBytesMax: 1 << 30,
      request: new Request(),
      isStalled: false,
      replyBytesMax: Infinity,
      onLongInput: () => undefined,
      onLongReply: () => {},
      beginTurn: () => {},
      endTurn: () => {},
      countInput: () => {},
      countOutput: () => {},
      wantsFlush: (client) => {
        if (client.wire !== undefined) this.#toFlush.add(client);
      },
      onProtocolError: (client) => client.close(),
      onEmptyLine: (client) => this.part.onEmptyLine(client),
      onClosed: (client) => {
        this.part.onClientClosed(client);
        this.clients.delete(client.id);
      },
      onDrained: (client) => this.part.onClientDrained(client),
      onReplicaFlush: (client) => this.part.onReplicaFlush(client),
      execute: (client, request) => {
        this.#execute(client, request.buf, request.start, request.end - request.start, true);
      },
    };
  }

  #createInside(): Inside {
    const world = this.#world;
    const ports: Ports = {
      clock: {
        monoMs: () => world.now,
        monoUs: () => world.now * 1000,
        unixMs: () => unixMs(EPOCH_UNIX_MS + world.now),
      },
      rng: seededRng(this.port * 31),
      network: { connect: ({ port }, events) => world.connect(port, events) },
      files: new MemoryFiles(() => undefined),
      system: {} as SystemFacts,
      log: () => {},
      setAlarm: () => {},
      listenAnew: () => {},
      callSoon: () => {},
      sleep: () => {},
      ended: () => {},
    };
    const isPaused = (): boolean => this.isPaused;
    return {
      ports,
      isInScript: false,
      get isPaused() {
        return isPaused();
      },
      config: this.config,
      settings: this.config.settings,
      keyspace: this.keyspace,
      persistence: { aof: { restart: () => {} }, noteTransfer: () => {} },
      functions: this.functions,
      stats: this.stats,
      get now() {
        return world.now;
      },
      get unixNow() {
        return unixMs(EPOCH_UNIX_MS + world.now);
      },
      log: (_level, text) => this.logs.push(text),
      rearm: () => {},
      client: (id) => this.clients.get(id),
      allClients: () => this.clients.values(),
      createMasterClient: () => this.#createClient(undefined),
      runFromMaster: (client, buf, at, size) => this.#execute(client, buf, at, size, false),
      createKeyspace: () => this.#createKeyspace(),
      roleChanged: () => undefined,
      unblock: (client) => this.unblocked.push(client),
      addWork: (slice) => this.#work.push(slice),
    };
  }

  /** One command; a client's own goes on to replicas as it is. */
  #execute(client: Client, buf: Buffer, at: number, size: number, isOwn: boolean): void {
    const bytes = Buffer.from(buf.subarray(at, at + size));
    const request = new Request();
    const result = new RequestParser(PARSER_OPTIONS).parse(request, bytes, 0, bytes.length);
    if (result !== PARSED) throw new Error('the test sends whole requests');
    const [name = '', ...args] = Array.from({ length: request.argc }, (_, i) => request.text(i));
    const command = name.toLowerCase();
    if (client.queue !== undefined && command !== 'exec') {
      client.queue.push({ command: NO_COMMAND, flags: 0, bytes });
      return;
    }
    const dbIndex = client.dbIndex;
    const isWrite = this.#apply(client, command, args);
    if (isOwn && isWrite) this.part.feed(dbIndex, bytes, 0, bytes.length);
  }

  #apply(client: Client, command: string, args: readonly string[]): boolean {
    const [first = '', second = '', third = ''] = args;
    const db = this.keyspace.db(client.dbIndex);
    const key = Buffer.from(first, 'latin1');
    switch (command) {
      case 'set': {
        const value = { buf: Buffer.from(second, 'latin1'), at: 0, size: second.length };
        db.setString(key, 0, key.length, value, third === '' ? -1 : Number(third));
        return true;
      }
      case 'del':
        return db.deleteKey(key, 0, key.length);
      case 'select':
        client.dbIndex = Number(first);
        return false;
      case 'multi':
        client.queue = [];
        return false;
      case 'exec': {
        const queue = client.queue ?? [];
        client.queue = undefined;
        for (const { bytes } of queue) this.#execute(client, bytes, 0, bytes.length, false);
        return false;
      }
      case 'ping':
        client.reply.simple('PONG');
        return false;
      case 'replconf':
        this.part.replconf(
          client,
          args.map((arg) => Buffer.from(arg, 'latin1')),
        );
        return false;
      case 'psync':
        this.part.sync(client, { replid: first, offset: Number(second) });
        return false;
      case 'wait': {
        const offset = this.part.replOffset();
        this.part.wait(client, Number(first), offset, Number(second));
        return false;
      }
      default:
        throw new Error(`the test has no command "${command}"`);
    }
  }
}
