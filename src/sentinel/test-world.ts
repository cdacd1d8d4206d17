/**
 * Test support: Sentinels and nodes on one in-memory network with virtual time. A node is no more than what a Sentinel
 * can see of it: its role, its offset, and who listens to its hello channel. Deterministic for a seed.
 */
import { invariant, monoMs, seededRng, unixMs } from '../base/index.ts';
import {
  type SentinelConf,
  defaultMasterSettings,
  defaultSentinelSettings,
} from '../config/index.ts';
import { type Reply, ReplyError } from '../resp/index.ts';
import type { SentinelContext } from './context.ts';
import { SentinelMachine } from './core.ts';
import type { Effect } from './effects.ts';
import type { Input } from './inputs.ts';
import { HELLO_CHANNEL } from './links.ts';
import { type SentinelRules, redisRules } from './rules.ts';
import type { ConnectionId, Master, Now } from './types.ts';
import { masterAt } from './views.ts';
import { vote } from './votes.ts';

const LATENCY_MS = 1;
/** Virtual time never moves by more at once. */
const STEP_MS_MAX = 1000;
const UNIX_START = 1_700_000_000_000;
const IP = '127.0.0.1';
export const MASTER_NAME = 'mymaster';

interface Event {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** What is at the other end of a connection. */
interface Server {
  readonly port: number;
  isUp: boolean;
  isPaused: boolean;
  answer(args: readonly string[], from: Peer): Reply;
}

interface Peer {
  readonly sentinel: TestSentinel;
  readonly connection: ConnectionId;
}

export class TestNode implements Server {
  readonly port: number;
  isUp = true;
  isPaused = false;
  masterPort: number | undefined;
  offset = 100;
  priority = 100;
  /** Whether it follows its master already. */
  isLinked = true;
  /** Whether it has the command FAILOVER, as Redis has from 6.2 on. */
  knowsFailover = true;
  /** How long it has been without its master, seconds. */
  linkDownSeconds = 0;
  runId: string;
  readonly commands: string[] = [];
  readonly listeners: Set<Peer> = new Set<Peer>();
  readonly #world: TestWorld;

  constructor(world: TestWorld, port: number, masterPort: number | undefined) {
    this.#world = world;
    this.port = port;
    this.masterPort = masterPort;
    this.runId = String(port).padStart(40, '0');
  }

  answer(args: readonly string[], from: Peer): Reply {
    const [name = '', first = '', second = ''] = args;
    if (!['PING', 'INFO', 'PUBLISH'].includes(name)) this.commands.push(args.join(' '));
    switch (name) {
      case 'PING':
        return 'PONG';
      case 'INFO':
        return Buffer.from(this.#info());
      case 'ROLE':
        return [Buffer.from(this.masterPort === undefined ? 'master' : 'slave')];
      case 'SUBSCRIBE':
        this.listeners.add(from);
        return [Buffer.from('subscribe'), Buffer.from(first), 1];
      case 'PUBLISH':
        this.publish(second);
        return 1;
      case 'SLAVEOF':
        this.masterPort = first === 'NO' ? undefined : Number(second);
        return 'QUEUED';
      case 'FAILOVER':
        return this.#world.handOver(this, Number(args[3]));
      default:
        return 'OK';
    }
  }

  publish(message: string): void {
    for (const { sentinel, connection } of this.listeners) {
      const reply = ['message', HELLO_CHANNEL, message].map((text) => Buffer.from(text));
      this.#world.deliver(this, sentinel, { kind: 'reply', connection, reply });
    }
  }

  #info(): string {
    const lines = [`run_id:${this.runId}`];
    if (this.masterPort === undefined) {
      lines.push('role:master');
      if (this.knowsFailover) lines.push('master_failover_state:no-failover');
      const replicas = this.#world.nodes.filter(
        (node) => node.masterPort === this.port && node.isUp,
      );
      replicas.forEach(({ port }, i) => lines.push(`slave${i}:ip=${IP},port=${port},state=online`));
    } else {
      const status = this.isLinked ? 'up' : 'down';
      lines.push('role:slave', `master_host:${IP}`, `master_port:${this.masterPort}`);
      lines.push(`master_link_status:${status}`, `slave_priority:${this.priority}`);
      lines.push(`slave_repl_offset:${this.offset}`);
      if (!this.isLinked) lines.push(`master_link_down_since_seconds:${this.linkDownSeconds}`);
    }
    return `${lines.join('\r\n')}\r\n`;
  }
}

export class TestSentinel implements Server {
  readonly port: number;
  machine: SentinelMachine;
  isUp = true;
  isPaused = false;
  /** Whether its disk takes anything. */
  canSave = true;
  /** Everything that came out, in order. */
  readonly effects: Effect[] = [];
  /** What is on disk. */
  saved: SentinelConf;
  readonly #world: TestWorld;
  readonly #servers = new Map<ConnectionId, Server>();

  constructor(world: TestWorld, port: number, quorum: number) {
    this.#world = world;
    this.port = port;
    const settings = defaultMasterSettings(quorum);
    settings.downAfterMs = 1000;
    settings.failoverTimeoutMs = 10_000;
    this.saved = {
      ...{ myId: undefined, currentEpoch: 0, settings: defaultSentinelSettings() },
      masters: [
        {
          ...{ name: MASTER_NAME, host: IP, port: world.nodes[0]!.port, settings },
          ...{ configEpoch: 0, leaderEpoch: 0, replicas: [], sentinels: [] },
        },
      ],
    };
    this.machine = this.#newMachine();
    this.carryOut(this.machine.begin(world.now()));
  }

  get context(): SentinelContext {
    return this.machine.context;
  }

  get master(): Master {
    const master = this.context.masters.get(MASTER_NAME);
    invariant(master !== undefined, 'the master is watched');
    return master;
  }

  /** Types of the events. */
  get events(): string[] {
    return this.effects.flatMap((effect) => (effect.kind === 'event' ? [effect.type] : []));
  }

  step(input: Input): void {
    if (this.isUp && !this.isPaused) this.carryOut(this.machine.step(this.#world.now(), input));
  }

  act<T>(change: (c: SentinelContext) => T): T {
    let result: { readonly value: T } | undefined;
    this.carryOut(
      this.machine.act(this.#world.now(), (c) => {
        result = { value: change(c) };
      }),
    );
    return result!.value;
  }

  /** It dies and comes back with what is on disk. */
  restart(): void {
    this.#servers.clear();
    this.machine = this.#newMachine();
    this.isUp = true;
    this.carryOut(this.machine.begin(this.#world.now()));
  }

  /** As the command of other Sentinels does. */
  answer(args: readonly string[]): Reply {
    if (args[0] === 'PING') return 'PONG';
    if (args[0] === 'PUBLISH') {
      this.step({ kind: 'hello', message: args[2] ?? '' });
      return 1;
    }
    if (args[0] !== 'SENTINEL') return 'OK';
    const [, , host = '', port, epoch, id = ''] = args;
    const master = masterAt(this.context, host, Number(port));
    const given =
      master === undefined || id === '*'
        ? undefined
        : this.act((c) => vote(c, master, { epoch: Number(epoch), id }));
    const standing = this.context.isUnsaved ? undefined : given;
    const isDown = master?.sdownSince !== undefined && !this.context.isTilted;
    return [isDown ? 1 : 0, Buffer.from(standing?.leader ?? '*'), standing?.epoch ?? 0];
  }

  carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) {
      this.effects.push(effect);
      this.#carryOutOne(effect);
    }
  }

  #newMachine(): SentinelMachine {
    const world = this.#world;
    const init = { rng: seededRng(world.seed * 100 + this.port), rules: world.rules };
    return new SentinelMachine(
      { ...init, port: this.port, requirepass: '', resolved: new Map(), now: world.now() },
      structuredClone(this.saved),
    );
  }

  #carryOutOne(effect: Effect): void {
    switch (effect.kind) {
      case 'open':
        return this.#open(effect.connection, effect.port);
      case 'close':
        this.#servers.delete(effect.connection);
        return;
      case 'send':
        return this.#send(effect.connection, effect.args);
      case 'save':
        if (this.canSave) this.saved = structuredClone(effect.conf);
        else this.step({ kind: 'saveFailed' });
        return;
      case 'crash':
        this.isUp = false;
        return;
      default:
        return;
    }
  }

  #open(connection: ConnectionId, port: number): void {
    const world = this.#world;
    const server = world.serverAt(port);
    world.after(LATENCY_MS, () => {
      if (!world.reaches(this, server)) return this.step({ kind: 'closed', connection });
      this.#servers.set(connection, server);
      this.step({ kind: 'opened', connection, localIp: IP });
    });
  }

  #send(connection: ConnectionId, args: readonly string[]): void {
    const world = this.#world;
    const server = this.#servers.get(connection);
    if (server === undefined) return;
    world.after(LATENCY_MS, () => {
      if (!world.reaches(this, server) || !this.#servers.has(connection)) return;
      const reply = server.answer(args, { sentinel: this, connection });
      world.deliver(server, this, { kind: 'reply', connection, reply });
    });
  }

  /** The connections to a server that died are closed. */
  lose(server: Server): void {
    for (const [connection, to] of this.#servers) {
      if (to !== server) continue;
      this.#servers.delete(connection);
      this.step({ kind: 'closed', connection });
    }
  }
}

export class TestWorld {
  readonly seed: number;
  readonly rules: SentinelRules;
  readonly nodes: TestNode[] = [];
  readonly sentinels: TestSentinel[] = [];
  time = 0;
  /** Added to the wall clock, which may jump. */
  unixOffset = 0;
  readonly #events: Event[] = [];
  #order = 0;
  readonly #cut = new Set<Server>();

  /** A master on port 7000, replicas behind it, and Sentinels from 26379 on. */
  constructor(options: {
    readonly seed?: number;
    readonly replicas?: number;
    readonly sentinels?: number;
    readonly quorum?: number;
    readonly rules?: Partial<SentinelRules>;
  }) {
    const { seed = 1, replicas = 2, sentinels = 3, quorum = 2, rules = {} } = options;
    this.seed = seed;
    this.rules = { ...redisRules, ...rules };
    for (let i = 0; i <= replicas; i++) {
      this.nodes.push(new TestNode(this, 7000 + i, i === 0 ? undefined : 7000));
    }
    for (let i = 0; i < sentinels; i++) {
      this.sentinels.push(new TestSentinel(this, 26_379 + i, quorum));
    }
  }

  now(): Now {
    const unix = unixMs(UNIX_START + this.time + this.unixOffset);
    return { mono: monoMs(this.time), unix };
  }

  after(ms: number, run: () => void): void {
    this.#events.push({ at: this.time + ms, order: this.#order++, run });
  }

  serverAt(port: number): Server | undefined {
    return [...this.nodes, ...this.sentinels].find((server) => server.port === port);
  }

  reaches(sentinel: TestSentinel, server: Server | undefined): server is Server {
    if (server === undefined || !server.isUp) return false;
    return !this.#cut.has(sentinel) && !this.#cut.has(server);
  }

  deliver(from: Server, to: TestSentinel, input: Input): void {
    this.after(LATENCY_MS, () => {
      if (!from.isPaused && this.reaches(to, from)) to.step(input);
    });
  }

  /** Nothing goes in or out any more, in silence. */
  isolate(server: Server): void {
    this.#cut.add(server);
  }

  heal(): void {
    this.#cut.clear();
  }

  kill(server: Server): void {
    server.isUp = false;
    for (const sentinel of this.sentinels) sentinel.lose(server);
  }

  handOver(master: TestNode, port: number): Reply {
    const target = this.nodes.find((node) => node.port === port);
    if (target?.masterPort !== master.port)
      return new ReplyError('ERR FAILOVER target is not a replica.');
    target.masterPort = undefined;
    master.masterPort = port;
    return 'OK';
  }

  runFor(ms: number): void {
    const end = this.time + ms;
    this.runUntil(() => this.time >= end, ms + STEP_MS_MAX);
  }

  /** Goes on until the condition holds. */
  runUntil(isDone: () => boolean, msMax: number = 60_000): void {
    const end = this.time + msMax;
    while (!isDone()) {
      this.#advance();
      invariant(this.time <= end, `the condition holds within ${msMax} ms`);
    }
  }

  /** Everybody knows everybody. */
  settle(): void {
    const { nodes, sentinels } = this;
    this.runUntil(() =>
      sentinels.every(
        ({ master }) =>
          master.sentinels.size === sentinels.length - 1 &&
          master.replicas.size === nodes.length - 1 &&
          [...master.replicas.values()].every(({ infoAt }) => infoAt !== undefined),
      ),
    );
  }

  #advance(): void {
    const { sentinels } = this;
    this.#events.sort((a, b) => a.at - b.at || a.order - b.order);
    const live = sentinels.filter(({ isUp, isPaused }) => isUp && !isPaused);
    const wake = Math.min(...live.map(({ machine }) => machine.nextWake()));
    const next = this.#events[0]?.at ?? Infinity;
    this.time = Math.max(this.time, Math.min(wake, next));
    if (next <= this.time) return this.#events.shift()!.run();
    for (const sentinel of live) {
      if (sentinel.machine.nextWake() <= this.time) sentinel.step({ kind: 'tick' });
    }
  }
}
