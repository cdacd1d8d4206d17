/** A server for tests of administration: real tables, counters and subscriptions, several clients, no network. */
import { Acl, AclCatalog } from '../acl/index.ts';
import { type MonoMs, monoMs, replid, seededRng, unixMs } from '../base/index.ts';
import { ConfigStore, defaultSettings } from '../config/index.ts';
import { Keyspace } from '../keyspace/index.ts';
import { ReplicationHistory } from '../replication/index.ts';
import { ReplyBufferPool, ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { commandSpecs } from './families.ts';
import { LatencyMonitor } from './latency-monitor.ts';
import { PubSub } from './pubsub-registry.ts';
import { type Server, createDebugSwitches } from './server.ts';
import { Session } from './session.ts';
import { SlowLog } from './slow-log.ts';
import { ServerStats } from './stats.ts';
import { CommandTable } from './table.ts';
import { TrackingTable } from './tracking-table.ts';
import { TEST_USER } from './test-user.ts';

const NOW: MonoMs = monoMs(5_000);

export class AdminSession extends Session {
  readonly inputBytes = 0;
  readonly inputCapacity = 0;
  readonly outputBytes = 0;
  readonly fd = 8;
  isClosed = false;

  constructor(id: number) {
    const reply = new ReplyWriter(new ReplyBufferPool(), () => {});
    super({
      id,
      reply,
      address: `127.0.0.1:${5000 + id}`,
      localAddress: '127.0.0.1:1',
      now: NOW,
      user: TEST_USER,
    });
  }

  closeAfterReply(): void {
    this.isClosed = true;
  }

  close(): void {
    this.isClosed = true;
  }

  /** What was written since the last call. */
  taken(): string {
    const { reply } = this;
    const text = reply.pending.toString('latin1', 0, reply.length);
    reply.clear();
    return text;
  }
}

export class AdminServer {
  readonly sessions: AdminSession[] = [];
  readonly config: ConfigStore = new ConfigStore(defaultSettings());
  readonly logged: string[] = [];
  readonly stats: ServerStats = new ServerStats();
  readonly tracking: TrackingTable = new TrackingTable((id) => this.#find(id));
  readonly pubsub: PubSub = new PubSub();
  readonly latency: LatencyMonitor = new LatencyMonitor(this.config.settings);
  readonly keyspace: Keyspace;
  readonly table: CommandTable<Context> = new CommandTable(commandSpecs);
  /** What the node was asked to do, such as `promote`. */
  readonly asked: string[] = [];
  readonly acl: Acl = new Acl({ catalog: new AclCatalog([]), settings: this.config.settings });
  isReplica = false;
  readonly #server: Server;

  constructor() {
    const rng = seededRng(1);
    const { config, stats, pubsub, latency, table, tracking } = this;
    const hooks = { expired: () => {}, touched: () => {}, replaced: () => {}, rubbish: () => {} };
    this.keyspace = new Keyspace({ rng, hooks });
    const facts = {
      ...{ config, stats, pubsub, latency, table, tracking, rng, keyspace: this.keyspace },
      settings: config.settings,
      acl: { acl: this.acl, noteRefused: () => {} },
      slowLog: new SlowLog(config.settings),
      configFile: '',
      now: NOW,
      unixNow: unixMs(1_700_000_000_000),
      wallMicros: { now: () => 1_700_000_000_000_000 },
      startedAt: monoMs(0),
      debug: createDebugSwitches(),
      clients: { all: () => this.sessions, find: (id: number) => this.#find(id) },
      log: (_level: string, text: string) => this.logged.push(text),
      applyConfig: () => undefined,
      listenAnew: (_session: Session, done: (isListening: boolean) => void) => done(true),
      discard: (session: Session) => (session.queue = undefined),
      unwatch: (session: Session) => (session.isWatchBroken = false),
      isWatchBroken: (session: Session) => session.isWatchBroken,
      scripts: { busyError: undefined, count: 0, bytes: 0 },
      failover: { state: 'no-failover' },
      persistence: { loading: undefined },
      ending: {
        remainingMs: undefined,
        begin: () => this.asked.push('shutdown') > 0,
        abort: () => false,
      },
      replication: this.#replication(),
    };
    // What is left out is not asked for by the commands under test.
    this.#server = facts as unknown as Server;
  }

  connect(): AdminSession {
    const session = new AdminSession(this.sessions.length + 1);
    this.sessions.push(session);
    return session;
  }

  /** Runs a command without the dispatcher's checks; returns the bytes of its reply. */
  run(session: AdminSession, ...args: readonly string[]): string {
    const request = new Request();
    request.load(args);
    const main = this.table.find(request);
    const command = main?.subcommands.get((args[1] ?? '').toLowerCase()) ?? main;
    if (command?.run === undefined) throw new Error(`no such command: ${args.join(' ')}`);
    const context = {
      server: this.#server,
      session,
      command,
      db: this.keyspace.db(session.dbIndex),
      forcePropagation: () => this.asked.push('propagate'),
      alsoPropagate: () => this.asked.push('propagate'),
      isPropagated: true,
      mayBlock: false,
      readyArgument: 0,
      blockOnKeys: () => {},
      propagateAs: () => {},
      preventPropagation: () => {},
      suspend: () => {},
      noteErrorCounted: () => {},
      notify: () => {},
    } satisfies Context;
    command.run(context, request, session.reply);
    return session.taken();
  }

  #find(id: number): AdminSession | undefined {
    return this.sessions.find((session) => session.id === id);
  }

  #replication(): object {
    const history = new ReplicationHistory({
      replid: replid('a'.repeat(40)),
      backlogBytes: 100_000,
    });
    const source = { counters: { fullSyncs: 0, partialAccepted: 0, partialRefused: 0 } };
    const replication = {
      ...{ history, source, link: { target: undefined } },
      promote: () => this.asked.push('promote'),
      follow: (host: string, port: number) => this.asked.push(`follow ${host}:${port}`),
      acknowledgedCount: () => 1,
      wait: (_session: Session, replicas: number) => this.asked.push(`wait ${replicas}`),
    };
    return Object.defineProperty(replication, 'isReplica', { get: () => this.isReplica });
  }
}
