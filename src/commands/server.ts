/** The services of the node that commands use. The node (level 4) implements them. */
import type { MonoMs, Rng, Slot, UnixMs, WallMicros } from '../base/index.ts';
import type { AdminCommand, AdminResult, ClusterMachine, LinkId } from '../cluster/index.ts';
import type {
  ConfigRefusal,
  ConfigSetOptions,
  ConfigStore,
  DirectiveName,
  Settings,
} from '../config/index.ts';
import type { Keyspace } from '../keyspace/index.ts';
import type { ReplicaLink, ReplicationHistory, ReplicationSource } from '../replication/index.ts';
import type { Request } from '../resp/index.ts';
import type { SentinelContext } from '../sentinel/index.ts';
import type { AclService } from './acl-service.ts';
import type { FunctionService } from './function-service.ts';
import type { LatencyMonitor } from './latency-monitor.ts';
import type { PersistenceService, SaveProgress } from './persistence.ts';
import type { PubSub } from './pubsub-registry.ts';
import type { ScriptService } from './script-service.ts';
import type { Session } from './session.ts';
import type { SlowLog } from './slow-log.ts';
import type { ServerStats } from './stats.ts';
import type { CommandTable } from './table.ts';
import type { TrackingTable } from './tracking-table.ts';

/** Level of a log line, as `loglevel` names them. */
export type LogLevel = 'debug' | 'verbose' | 'notice' | 'warning';

/** Facts of the process and machine, for INFO and MEMORY. */
export interface SystemFacts {
  readonly os: string;
  readonly archBits: number;
  /** Version of Node, numbers only: clients read every field of INFO whose name ends in `_version` so. */
  readonly runtimeVersion: string;
  readonly pid: number;
  readonly executable: string;
  /** Version of this package. */
  readonly version: string;
  /** Who started the process and says so. */
  readonly supervisor: 'no' | 'systemd' | 'upstart';
  /** Resident and JavaScript heap bytes, not older than 100 ms. */
  memory(): { readonly residentBytes: number; readonly heapBytes: number };
  readonly totalMemoryBytes: number;
  /** Files, sockets among them, that the process may have open; undefined when that is not known. */
  readonly openFilesMax?: number | undefined;
  /** CPU seconds of this process, now. */
  cpu(): { readonly userSeconds: number; readonly systemSeconds: number };
}

export interface ClientService {
  all(): Iterable<Session>;
  find(id: number): Session | undefined;
  readonly count: number;
  /** CLIENT PAUSE until a moment; 'write' lets reads go on. */
  pause(until: MonoMs, what: 'write' | 'all'): void;
  unpause(): void;
  /**
   * CLIENT UNBLOCK: ends the wait of a client, which is answered as if its time were over, or with UNBLOCKED. False
   * when it does not wait, or waits for a pause to end.
   */
  unblock(session: Session, reason: 'timeout' | 'error'): boolean;
}

/** How a node ends. */
export interface EndFlags {
  /** `asConfigured`: if there are save points. */
  readonly save: 'asConfigured' | 'yes' | 'no';
  /** Without waiting for replicas. */
  readonly isNow: boolean;
  /** Even if the data cannot be saved. */
  readonly isForced: boolean;
}

export interface EndingService {
  /** Until the node stops waiting for its replicas; undefined while its end was not asked for. */
  readonly remainingMs: number | undefined;
  /**
   * Ends the node once its replicas have caught up, the data is saved and the current turn's replies are out. False when
   * that failed at once and the node goes on; if it fails later, `session` waits and gets the error.
   */
  begin(flags: EndFlags, session?: Session): boolean;
  /** False when no end was asked for. */
  abort(): boolean;
}

export type FailoverState = 'no-failover' | 'waiting-for-sync' | 'failover-in-progress';

/** What FAILOVER asks for. */
export interface FailoverOrder {
  /** The replica to take over; undefined for the first that has everything. */
  readonly target: { readonly host: string; readonly port: number } | undefined;
  /** When the time is up the target takes over nevertheless; otherwise all stays as it was. */
  readonly isForced: boolean;
  readonly timeoutMs: number | undefined;
}

export interface FailoverService {
  readonly state: FailoverState;
  /** Begins to change places with a replica; an error text when that cannot be. */
  begin(order: FailoverOrder): string | undefined;
  /** False when none is in progress. */
  abort(): boolean;
}

export interface ReplicationService {
  readonly history: ReplicationHistory;
  readonly source: ReplicationSource;
  readonly link: ReplicaLink;
  /** Whether this node follows a master. */
  readonly isReplica: boolean;
  /**
   * With `repl-diskless-load swapdb`, while a snapshot comes: `async` when it is of the history of our data, which is
   * served meanwhile, `whole` when it is of another one. Source: redis.conf 7.0, repl-diskless-load.
   */
  readonly swapLoad: 'async' | 'whole' | undefined;
  /** Present while a snapshot is on its way to replicas. */
  readonly snapshotProgress: SaveProgress | undefined;
  /** REPLICAOF host port. */
  follow(host: string, port: number): void;
  /** REPLICAOF NO ONE. */
  promote(): void;
  /** PSYNC or SYNC of the calling client; writes its answer. An offset that is no number is undefined. */
  sync(session: Session, asked: { replid: string; offset: number | undefined } | undefined): void;
  /** REPLCONF of the calling client with the arguments behind the name; writes its answer, if any. */
  replconf(session: Session, args: readonly Buffer[]): void;
  /** Replicas that acknowledged the stream up to `offset`. */
  acknowledgedCount(offset: number): number;
  /** Blocks the client until `replicas` acknowledged `offset`; the node answers with the count. */
  wait(session: Session, replicas: number, offset: number, timeoutMs: number): void;
}

export interface ClusterService {
  readonly machine: ClusterMachine;
  readonly isEnabled: true;
  /** Carries an operator's command out, with its effects, before it returns. */
  run(command: AdminCommand): AdminResult;
  countKeysInSlot(slot: Slot): number;
  /** Passes a published message on over the bus. */
  publish(channel: Buffer, message: Buffer, isShard: boolean): void;
  /** Bytes accepted for a bus link and not yet taken by the system. */
  sendBufferBytes(link: LinkId): number;
  /** Bytes of the replication stream that this node produced or processed. */
  replOffset(): number;
  /** CLUSTER SYNCSLOTS: a request of the other end of a slot migration. */
  syncSlots(session: Session, request: Request): void;
  /** The argument of a PING of our master, which may speak of slot migrations. */
  hearMaster(argument: string): void;
  /** Writes nodes.conf now; why it failed, undefined when it is on disk. */
  saveConfig(): string | undefined;
}

export interface SentinelService {
  readonly context: SentinelContext;
  /** Changes what the Sentinel knows, and carries out what follows before it returns. */
  act<T>(change: (c: SentinelContext) => T): T;
  /** A client published on the hello channel. */
  hello(message: string): void;
  /** Calls `then` when a host is known to stand for an address, or not to. The client waits meanwhile. */
  resolve(session: Session, host: string, then: () => void): void;
  isExecutable(path: string): boolean;
}

/** What MIGRATE was asked for. Keys are of the calling client's database. */
export interface MigrateRequest {
  readonly host: string;
  readonly port: number;
  /** Database of the target. */
  readonly targetDb: number;
  /** Longest silence of the target, milliseconds. */
  readonly timeoutMs: number;
  readonly isCopy: boolean;
  readonly isReplacing: boolean;
  readonly auth: { readonly user: string | undefined; readonly password: Buffer } | undefined;
  readonly keys: readonly Buffer[];
}

export interface MigrateService {
  /** Connections to targets that are kept for the next time. */
  readonly targetCount: number;
  /**
   * Sends the keys that are there to the target and deletes them here. The client is blocked and no
   * client's command runs until it ended; then the reply is written.
   */
  start(session: Session, request: MigrateRequest): void;
}

/** What DEBUG turns off, for tests. */
export interface DebugSwitches {
  /** No active expiry; keys still expire when they are looked at. */
  isActiveExpireOff: boolean;
  /** No periodic work at all. */
  isCronPaused: boolean;
  /** RESTORE takes payloads whatever their checksum. */
  isChecksumIgnored: boolean;
  /** Scripts may call what they otherwise must not. */
  isNoscriptIgnored: boolean;
}

/** All as it is without DEBUG. */
export function createDebugSwitches(): DebugSwitches {
  return {
    isActiveExpireOff: false,
    isCronPaused: false,
    isChecksumIgnored: false,
    isNoscriptIgnored: false,
  };
}

/** The node as commands see it. */
export interface Server {
  readonly wallMicros: WallMicros;
  readonly rng: Rng;
  /** Time of the current turn. */
  readonly now: MonoMs;
  readonly unixNow: UnixMs;
  readonly startedAt: MonoMs;
  readonly runId: string;
  readonly keyspace: Keyspace;
  readonly config: ConfigStore;
  readonly settings: Settings;
  /** Path of the configuration file; empty without one. */
  readonly configFile: string;
  readonly table: CommandTable;
  readonly stats: ServerStats;
  readonly slowLog: SlowLog;
  readonly latency: LatencyMonitor;
  readonly pubsub: PubSub;
  readonly clients: ClientService;
  readonly acl: AclService;
  readonly replication: ReplicationService;
  readonly cluster: ClusterService | undefined;
  /** In a Sentinel, which has no data. */
  readonly sentinel: SentinelService | undefined;
  readonly migrator: MigrateService;
  readonly functions: FunctionService;
  readonly persistence: PersistenceService;
  readonly scripts: ScriptService;
  readonly system: SystemFacts;
  log(level: LogLevel, text: string): void;
  readonly ending: EndingService;
  readonly failover: FailoverService;
  /** Stops the whole process for a while (DEBUG SLEEP). */
  sleep(ms: number): void;
  /** Runs the queued commands of a transaction and writes their replies (EXEC). */
  runQueue(session: Session): void;
  /** Watches a key for the client. */
  watch(session: Session, key: Buffer): void;
  unwatch(session: Session): void;
  /** Whether a key that the client watches changed or expired since: EXEC then does nothing. */
  isWatchBroken(session: Session): boolean;
  /** Ends a client's transaction: queue and watches (DISCARD, EXEC that does nothing). */
  discard(session: Session): void;
  /** Sends what clients do to the client (MONITOR). */
  addMonitor(session: Session): void;
  /** Sends it no more (RESET). */
  removeMonitor(session: Session): void;
  readonly debug: DebugSwitches;
  /** Keys that clients keep copies of. The node tells it what is read and what changes. */
  readonly tracking: TrackingTable;
  /** Puts directives that CONFIG SET changed into effect; see `ConfigSetOptions.apply`. */
  applyConfig(changed: readonly DirectiveName[]): ConfigRefusal | undefined;
  /** See `ConfigSetOptions.directory`. */
  readonly directory: ConfigSetOptions['directory'];
  /**
   * Listens on the port and addresses that the settings say now. The client is blocked until `done`, which answers it;
   * where listening failed the node still listens where it did.
   */
  listenAnew(session: Session, done: (isListening: boolean) => void): void;
  /** CONFIG REWRITE: undefined, or why it failed. `isWhole`: a line for every directive. */
  rewriteConfig(isWhole: boolean): string | undefined;
}
