/**
 * The whole server: clients, keyspace, dispatcher, replication and cluster put together, over ports.
 * Everything happens in turns: one event of the world, what follows from it, then all replies go out.
 */
import {
  type MonoMs,
  type UnixMs,
  WallMicros,
  addMs,
  monoMs,
  randomHex,
  replid,
  unixMs,
  earlier,
} from '../base/index.ts';
import type { ClusterRules } from '../cluster/index.ts';
import {
  type Command,
  CommandTable,
  type Context,
  type DebugSwitches,
  FLAG_PROTECTED,
  LatencyMonitor,
  type LogLevel,
  PubSub,
  ServerStats,
  type Session,
  SlowLog,
  TrackingTable,
  commandSpecs,
  createDebugSwitches,
  endFlags,
  sentinelSpecs,
} from '../commands/index.ts';
import {
  type ConfigRefusal,
  type ConfigSetOptions,
  ConfigStore,
  type DirectiveName,
  type LoadedConfig,
  type SentinelConf,
  type Settings,
} from '../config/index.ts';
import type { Keyspace } from '../keyspace/index.ts';
import { PARSED, Request, RequestParser } from '../resp/index.ts';
import { AclPart } from './acl.ts';
import { CallMeter } from './call-meter.ts';
import { Client } from './client.ts';
import { ClientDesk, type ClientDeskOwner } from './client-desk.ts';
import { Clients } from './clients.ts';
import { ClusterPart } from './cluster.ts';
import { ClusterDesk } from './cluster-desk.ts';
import { applyChanges, listenAnew, rewriteConfigFile } from './config-changes.ts';
import { Cron } from './cron.ts';
import type { ClusterRouter, DispatchHost } from './dispatch-host.ts';
import { CoordinatedFailover } from './coordinated-failover.ts';
import { Ending } from './ending.ts';
import { Dispatcher } from './dispatcher.ts';
import type { Inside } from './inside.ts';
import { Eviction } from './eviction.ts';
import { freeSome } from './lazy-free.ts';
import { Migrator } from './migrate.ts';
import { createKeyspace } from './keyspace-creation.ts';
import { type ShownCall, monitorLine } from './monitor-line.ts';
import type { Ports, Wire, WireEvents, WireFacts } from './ports.ts';
import { FEED_ALL, FEED_AOF, FEED_REPLICAS, Propagation } from './propagation.ts';
import { fitMaxclients } from './open-files.ts';
import { OwnProcessPart } from './own-process.ts';
import { Persistence } from './persistence.ts';
import { ReplicationPart } from './replication.ts';
import { Resumption } from './resumption.ts';
import { FunctionsPart } from './scripting/functions.ts';
import { type SentinelInit, SentinelPart } from './sentinel.ts';
import { admissionRefusal, mayRun } from './admission.ts';
import { ScriptStage } from './script-stage.ts';
import { Scripts } from './scripting/scripts.ts';
import { Sending } from './sending.ts';
import { BackgroundWork } from './background-work.ts';
import { takeRole } from './first-role.ts';
import { TrackedCalls } from './tracked-calls.ts';
import { eventsInTurns, networkInTurns } from './turns.ts';
import { waitHost } from './wait-host.ts';
import { WaitQueue } from './wait-queue.ts';
import { Watches } from './watches.ts';

export interface NodeInit {
  readonly ports: Ports;
  readonly config: LoadedConfig;
  /** Path of the configuration file; empty without one. */
  readonly configFile: string;
  /** Called once: the data is loaded and clients are served, or the reason why the node must not go on. */
  readonly onReady?: (flaw: string | undefined) => void;
  /** For the simulator, which plants faults. */
  readonly clusterRules?: ClusterRules;
  /** Makes it a Sentinel, without data. */
  readonly sentinel?: SentinelInit;
}

export class Node implements DispatchHost, ClientDeskOwner, Inside {
  readonly ports: Ports;
  readonly clock: Ports['clock'];
  readonly wallMicros: WallMicros;
  readonly rng: Ports['rng'];
  readonly system: Ports['system'];
  readonly config: ConfigStore;
  readonly settings: Settings;
  readonly configFile: string;
  readonly runId: string;
  readonly startedAt: MonoMs;
  readonly keyspace: Keyspace;
  readonly table: CommandTable<Context>;
  readonly stats: ServerStats = new ServerStats();
  readonly acl: AclPart;
  readonly ownProcess: OwnProcessPart;
  readonly slowLog: SlowLog;
  readonly latency: LatencyMonitor;
  readonly pubsub: PubSub = new PubSub();
  readonly functions: FunctionsPart = new FunctionsPart(this);
  readonly clients: Clients;
  readonly propagation: Propagation;
  readonly meter: CallMeter;
  readonly ending: Ending;
  readonly failover: CoordinatedFailover;
  readonly replication: ReplicationPart;
  readonly cluster: ClusterPart | undefined;
  readonly sentinel: SentinelPart | undefined;
  readonly migrator: Migrator;
  readonly persistence: Persistence;
  readonly eviction: Eviction = new Eviction(this);
  readonly desk: ClientDesk;
  readonly waits: WaitQueue;
  readonly scripts: Scripts;
  now: MonoMs = monoMs(0);
  unixNow: UnixMs = unixMs(0);
  readonly debug: DebugSwitches = createDebugSwitches();
  readonly tracking: TrackingTable = new TrackingTable((id) => this.clients.findStaying(id));
  readonly trackedCalls: TrackedCalls = new TrackedCalls(this);
  readonly #dispatcher: Dispatcher;
  readonly #watches: Watches;
  readonly #cron: Cron;
  readonly #work: BackgroundWork;
  readonly #onReady: (flaw: string | undefined) => void;
  readonly #masterRequest: Request = new Request();
  readonly #masterParser: RequestParser;
  #turnDepth = 0;
  #wantsAlarm = true;
  #alarmAt: MonoMs = monoMs(0);
  #isShuttingDown = false;
  #hasEnded = false;
  readonly #users: LoadedConfig['users'];
  readonly #resumption: Resumption = new Resumption();
  readonly #sending = new Sending(this);

  constructor(init: NodeInit) {
    const { ports } = init;
    this.clock = ports.clock;
    this.wallMicros = new WallMicros(ports.clock);
    this.rng = ports.rng;
    this.system = ports.system;
    this.ports = { ...ports, network: networkInTurns(this, ports.network) };
    this.config = new ConfigStore(init.config.settings);
    this.settings = this.config.settings;
    this.configFile = init.configFile;
    this.runId = randomHex(ports.rng, 40);
    this.#readClocks();
    this.startedAt = this.now;
    this.table = new CommandTable(init.sentinel === undefined ? commandSpecs : sentinelSpecs);
    for (const { args } of init.config.renames) this.table.rename(args[0] ?? '', args[1] ?? '');
    this.acl = new AclPart(this);
    this.ownProcess = new OwnProcessPart(this);
    this.#users = init.config.users;
    this.slowLog = new SlowLog(this.settings);
    this.latency = new LatencyMonitor(this.settings);
    this.clients = new Clients({
      settings: this.settings,
      onPauseEnd: () => this.resumeSoon(),
      beforeFlush: () => this.persistence.aof.flush(),
      unblock: (client, reason) => this.waits.unblock(client, reason),
      evict: (client) => this.desk.evict(client),
      closeStranger: (client) => this.desk.closeStranger(client),
    });
    this.waits = new WaitQueue(waitHost(this));
    this.desk = new ClientDesk(this);
    this.#masterParser = new RequestParser({ ...this.desk.parserOptions, bulkBytesMax: Infinity });
    this.#watches = new Watches(() => this.keyspace);
    this.keyspace = this.createKeyspace();
    this.#work = new BackgroundWork(() => this.ports.callSoon());
    this.propagation = new Propagation(this);
    this.meter = new CallMeter(this);
    this.#dispatcher = new Dispatcher(this);
    const stage = new ScriptStage(this, this.#dispatcher, this.#work);
    this.scripts = new Scripts(this, stage, this.desk.bufferPool);
    this.replication = new ReplicationPart(this, {
      replid: replid(randomHex(ports.rng, 40)),
      turns: this,
      waits: this.waits,
      handoverAnswered: (isAccepted) => this.failover.answered(isAccepted),
    });
    const clusterDesk = new ClusterDesk(this);
    this.cluster = this.settings['cluster-enabled']
      ? new ClusterPart(this, {
          host: clusterDesk,
          replication: this.replication,
          table: this.table,
          ...(init.clusterRules === undefined ? {} : { rules: init.clusterRules }),
        })
      : undefined;
    this.sentinel = init.sentinel === undefined ? undefined : new SentinelPart(this, init.sentinel);
    this.migrator = new Migrator(this, clusterDesk);
    this.persistence = new Persistence(this);
    this.#cron = new Cron(this);
    this.ending = new Ending(this);
    this.failover = new CoordinatedFailover(this);
    this.#onReady = init.onReady ?? ((): void => undefined);
    this.applyConfig(['slowlog-log-slower-than', 'maxmemory-policy']);
  }

  /**
   * Reads what the disk remembers and begins. A flaw that shows at once is returned; data that is loaded in slices may
   * still show one, which `onReady` gets.
   */
  start(): string | undefined {
    this.beginTurn();
    this.ownProcess.start();
    let flaw = fitMaxclients(this) ?? this.acl.start(this.#users) ?? this.cluster?.readNodes();
    if (flaw !== undefined) this.#onReady(flaw);
    else if (this.sentinel !== undefined) this.#onReady(this.sentinel.start());
    else {
      this.persistence.loadAtStart((failure) => {
        flaw = failure;
        if (failure === undefined) takeRole(this);
        this.#onReady(failure);
      });
    }
    this.endTurn();
    return flaw;
  }

  /** A client connected; one of this very process (`isInside`) is let in whatever the settings say. */
  accept(wire: Wire, isInside: boolean = false): WireEvents {
    this.beginTurn();
    const isOpen = this.acl.acl.defaultUser.takesAnyPassword;
    const state = { isOpen, isFull: this.clients.isFull };
    const refusal = isInside ? undefined : admissionRefusal(wire, this.settings, state);
    const client = this.#createClient(wire, wire);
    if (refusal !== undefined) {
      this.stats.rejectedConnections++;
      client.reply.error(refusal);
      client.closeAfterReply();
    } else {
      this.stats.totalConnections++;
      if (isInside) client.user = this.acl.insideUser;
      client.isAuthenticated = client.user.isOpen;
    }
    this.endTurn();
    return client;
  }

  /** A peer connected to the cluster bus. */
  acceptBus(wire: Wire): WireEvents {
    if (this.cluster === undefined || this.persistence.loading !== undefined) {
      wire.destroy();
      return { data: () => undefined, closed: () => undefined };
    }
    this.beginTurn();
    const events = eventsInTurns(this, this.cluster.acceptBus(wire));
    this.endTurn();
    return events;
  }

  /** The alarm rang; it may ring early, so it is set anew in any case. */
  wake(): void {
    this.beginTurn();
    this.#wantsAlarm = true;
    this.endTurn();
  }

  /** A slice of background work that was asked for. */
  work(): void {
    this.beginTurn();
    this.#sending.beforeSlice();
    this.#work.run();
    this.endTurn();
  }

  /** Sends the replies of the turns since it was asked for. */
  send(): void {
    this.beginTurn();
    this.#sending.send();
    this.endTurn();
  }

  beginTurn(): void {
    if (this.#turnDepth++ > 0) return;
    this.#readClocks();
    if (this.now >= this.#alarmAt) this.#tick();
  }

  endTurn(): void {
    if (this.#turnDepth === 1) {
      this.meter.settle();
      if (this.failover.isPending) this.failover.check();
      if (this.ending.isPending) this.ending.check();
      const transfers = this.isInScript ? undefined : this.cluster?.transfers;
      if (transfers?.isPending === true) transfers.check();
      if (this.waits.hasReady) this.#dispatcher.serveReady();
      while (this.#resumption.isDue) this.#resumeClients();
      if (this.tracking.hasBroadcasts) this.tracking.broadcast();
      if (this.clients.hasOutput) this.#sending.sendOrAsk(this.#isShuttingDown);
      else this.persistence.aof.flush();
      if (this.#wantsAlarm) this.#setAlarm();
      if (this.#isShuttingDown && !this.#hasEnded) this.#end();
    }
    this.#turnDepth--;
  }

  execute(client: Client, request: Request): void {
    this.#dispatcher.execute(client, request);
  }

  runFromMaster(client: Client, buf: Buffer, at: number, size: number): void {
    const result = this.#masterParser.parse(this.#masterRequest, buf, at, at + size);
    if (result === PARSED) this.#dispatcher.executeFromMaster(client, this.#masterRequest);
  }

  runQueue(session: Session): void {
    this.#dispatcher.runQueue(session);
  }

  /** Whether EXEC must answer with nothing, because a watched key changed. */
  isWatchBroken(session: Session): boolean {
    return session.isWatchBroken || this.#watches.hasExpired(session);
  }

  watch(session: Session, key: Buffer): void {
    this.#watches.watch(session, key);
    this.keyspace.isWatched = true;
  }

  unwatch(session: Session): void {
    this.#watches.unwatch(session);
    this.keyspace.isWatched = !this.#watches.isEmpty || this.tracking.isUsed;
  }

  discard(session: Session): void {
    session.queue = undefined;
    session.queueBytes = 0;
    session.isQueueBroken = false;
    this.unwatch(session);
  }

  /** Whether anybody may ever ask for what is propagated now. */
  get isListening(): boolean {
    const { history, isReplica } = this.replication;
    if (this.cluster?.transfers.isExporting === true) return true;
    const isKept = (history.backlog !== undefined && !isReplica) || this.persistence.aof.isOn;
    return isKept && this.persistence.loading === undefined;
  }

  feed(dbIndex: number, buf: Buffer, at: number, size: number, targets: number = FEED_ALL): void {
    const { persistence, replication } = this;
    if (persistence.aof.isOn && (targets & FEED_AOF) !== 0) {
      persistence.aof.feed(dbIndex, buf, at, size);
    }
    if (replication.isReplica || persistence.loading !== undefined) return;
    if ((targets & FEED_REPLICAS) === 0) return;
    if (this.cluster?.transfers.isExporting === true) this.cluster.transfers.feed(buf, at, size);
    replication.feed(dbIndex, buf, at, size);
  }

  dropLoadingClient(client: Client): void {
    this.clients.remove(client);
  }

  diskFailure(): string | undefined {
    return this.persistence.writeRefusal;
  }

  get isInTransaction(): boolean {
    return this.#dispatcher.isRunningQueue;
  }

  createMasterClient(facts: WireFacts | undefined): Client {
    const client = this.#createClient(undefined, facts);
    client.role = 'master';
    client.isAuthenticated = true;
    client.reply.isMuted = true;
    return client;
  }

  #createClient(wire: Wire | undefined, facts: WireFacts | undefined): Client {
    const id = this.clients.nextId();
    const client = new Client({ host: this.desk, id, wire, facts, now: this.now });
    this.clients.add(client);
    return client;
  }

  roleChanged(): void {
    this.ownProcess.roleChanged();
  }

  createKeyspace(): Keyspace {
    return createKeyspace(this, this.#watches, this.trackedCalls);
  }

  client(id: number): Client | undefined {
    return this.clients.find(id);
  }

  unblock(client: Client): void {
    this.#resumption.unblock(client);
  }

  unblockSession(session: Session): void {
    const client = this.clients.find(session.id);
    if (client !== undefined) this.unblock(client);
  }

  allClients(): Iterable<Client> {
    return this.clients.all();
  }

  collectRubbish(): void {
    this.addWork(() => freeSome(this));
  }

  addWork(slice: () => boolean): void {
    this.#work.add(slice);
  }

  rearm(): void {
    this.#wantsAlarm = true;
  }

  log(level: LogLevel, text: string): void {
    this.ports.log(level, text);
  }

  addMonitor(session: Session): void {
    this.clients.addMonitor(session);
  }

  removeMonitor(session: Session): void {
    this.clients.removeMonitor(session);
  }

  get hasMonitors(): boolean {
    return this.clients.hasMonitors;
  }

  showMonitors(session: Session, call: ShownCall): void {
    const line = monitorLine(session, call, this.wallMicros.now());
    for (const monitor of this.clients.monitors) monitor.reply.simple(line);
  }

  get clusterRouter(): ClusterRouter | undefined {
    return this.cluster;
  }

  get isInScript(): boolean {
    return this.scripts.isSuspended;
  }

  get isPaused(): boolean {
    return this.clients.isPaused;
  }

  get pausesAll(): boolean {
    return this.clients.pausesAll;
  }

  get isStale(): boolean {
    return this.replication.isStale;
  }

  get isLimited(): boolean {
    return this.persistence.isLimited;
  }

  get takesAllChanges(): boolean {
    return this.settings['min-replicas-to-write'] === 0;
  }

  get hasEnoughReplicas(): boolean {
    return this.replication.hasEnoughReplicas;
  }

  allowsProtected(client: Client, command: Command): boolean {
    return (command.flags & FLAG_PROTECTED) === 0 || mayRun(client.wire, this.settings, command);
  }

  /** The node cannot go on: it ends and says nothing more to anybody. */
  halt(exitCode: number = 1): void {
    this.#hasEnded = true;
    this.ports.ended(exitCode);
  }

  /** Reacts to changed settings; a refusal's text undoes the change. */
  applyConfig(changed: readonly DirectiveName[]): ConfigRefusal | undefined {
    return applyChanges(this, changed);
  }

  readonly directory: ConfigSetOptions['directory'] = (path) => this.ports.files.directory(path);

  listenAnew(session: Session, done: (isListening: boolean) => void): void {
    listenAnew(this, session, done);
  }

  rewriteConfig(isWhole: boolean, sentinel?: SentinelConf): string | undefined {
    return rewriteConfigFile(this, isWhole, sentinel);
  }

  /** Ends the node in order, as SHUTDOWN with these words in lower case does; if that fails, the log says so. */
  shutdown(words: readonly string[]): void {
    this.ending.ask(endFlags(new Set(words)));
  }

  endNow(): void {
    this.#isShuttingDown = true;
  }

  inTurn(act: () => void): void {
    if (this.#hasEnded) return;
    this.beginTurn();
    act();
    this.endTurn();
  }

  sleep(ms: number): void {
    this.clients.flush();
    this.ports.sleep(ms);
  }

  #readClocks(): void {
    const clockUs = this.clock.monoUs();
    this.now = monoMs(Math.floor(clockUs / 1000));
    this.unixNow = this.clock.unixMs();
    // During construction there is nothing yet to tell the time to.
    if (this.#dispatcher === undefined) return;
    this.keyspace.nowMs = this.unixNow;
    this.meter.begin(clockUs);
  }

  #tick(): void {
    this.#wantsAlarm = true;
    if (this.persistence.loading !== undefined) return;
    this.cluster?.tickIfDue(this.now);
    this.sentinel?.tickIfDue(this.now);
    this.replication.tick();
    this.waits.tick(this.now);
    this.migrator.tick(this.now);
    this.clients.endPauses(this.now);
    this.#cron.runIfDue(this.now);
    this.scripts.tick();
    if (!this.isInScript) this.persistence.runIfDue();
  }

  #setAlarm(): void {
    this.#wantsAlarm = false;
    let at = this.#cron.nextAt;
    at = earlier(at, this.cluster?.nextWake());
    at = earlier(at, this.sentinel?.nextWake());
    at = earlier(at, this.replication.nextWake());
    at = earlier(at, this.waits.nextDeadline());
    at = earlier(at, this.migrator.nextWake());
    at = earlier(at, this.ending.nextWake());
    at = earlier(at, this.failover.nextWake());
    at = earlier(at, this.clients.pauseEnds);
    // Never in the past, or an event that was late would ring for ever.
    this.#alarmAt = at <= this.now ? addMs(this.now, 1) : at;
    this.ports.setAlarm(this.#alarmAt);
  }

  /** Clients whose requests waited go on at the end of the turn. */
  resumeSoon(): void {
    this.#resumption.askForAll();
  }

  #resumeClients(): void {
    if (this.#resumption.isOfAll) this.replication.resume();
    this.#resumption.run(this.clients.all());
  }

  #end(): void {
    this.#hasEnded = true;
    this.replication.stop();
    this.migrator.stop();
    this.persistence.stop();
    this.cluster?.stop();
    this.sentinel?.stop();
    this.log('warning', 'Slotline is now ready to exit, bye bye...');
    for (const client of [...this.clients.all()]) client.wire?.end();
    this.ports.ended(0);
  }
}
