/** What a Sentinel knows of the masters that it watches, their replicas and the other Sentinels. */
import type { MonoMs, UnixMs } from '../base/index.ts';
import type { MasterSettings } from '../config/index.ts';

/** The same moment on both clocks. */
export interface Now {
  readonly mono: MonoMs;
  readonly unix: UnixMs;
}

/** Names one connection that the machine asked for; never used twice. */
export type ConnectionId = number;

export interface Address {
  /** As it was given: a name where names are resolved, otherwise an address. */
  readonly hostname: string;
  readonly ip: string;
  readonly port: number;
}

/** What the next reply on a connection answers. */
export type Expected =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'subscription' }
  | { readonly kind: 'ping'; readonly instance: Instance }
  | { readonly kind: 'info'; readonly node: WatchedNode }
  | { readonly kind: 'opinion'; readonly peer: Peer }
  | { readonly kind: 'handover'; readonly master: Master }
  /** ROLE of a master, asked because the replica calls itself one too. */
  | { readonly kind: 'role'; readonly rival: Replica };

export interface Connection {
  readonly id: ConnectionId;
  readonly kind: 'command' | 'pubsub';
  readonly link: Link;
  readonly askedAt: MonoMs;
  /** Undefined while it is not made yet. */
  openedAt: MonoMs | undefined;
  readonly expected: Expected[];
}

/** Which of the moments that return every two seconds are for an instance. */
export type Beat = number;

/** Connections to one instance. Sentinels that watch several masters together share one. */
export interface Link {
  command: Connection | undefined;
  /** Listens to the hello channel; nodes only. */
  pubsub: Connection | undefined;
  refCount: number;
  /** Our end of the command connection; empty while there was none. */
  localIp: string;
  /** When the PING was sent that is not answered yet. */
  unansweredSince: MonoMs | undefined;
  lastPingAt: MonoMs | undefined;
  readonly beat: Beat;
  /** When it is asked by PING next. */
  pingDueAt: MonoMs;
  /** Last answer that says the instance works. */
  lastAvailableAt: MonoMs;
  /** Last answer to a PING, whatever it said. */
  lastPongAt: MonoMs;
  lastReconnectAt: MonoMs | undefined;
  lastPubsubAt: MonoMs;
}

interface InstanceCommon {
  /** Master: its name. Replica: `ip:port`. Sentinel: its identity. */
  readonly name: string;
  address: Address;
  /** Empty while not known. */
  runId: string;
  link: Link;
  sdownSince: MonoMs | undefined;
  /** When it is told a hello next. */
  helloDueAt: MonoMs;
  isScriptKillSent: boolean;
}

interface NodeCommon extends InstanceCommon {
  /** When INFO was answered last. */
  infoAt: MonoMs | undefined;
  infoText: string;
  reportedRole: 'master' | 'replica';
  reportedRoleAt: MonoMs;
}

export type ReconfigurationState = 'none' | 'sent' | 'inProgress' | 'done';

export interface Replica extends NodeCommon {
  readonly role: 'replica';
  readonly master: Master;
  /** When it was SDOWN last; undefined when never. */
  lastSdownAt: MonoMs | undefined;
  isPromoted: boolean;
  reconfiguration: ReconfigurationState;
  reconfigurationSentAt: MonoMs;
  masterLinkDownMs: number;
  isMasterLinkUp: boolean;
  masterHost: string;
  masterPort: number;
  masterChangedAt: MonoMs;
  priority: number;
  isAnnounced: boolean;
  replOffset: number;
}

export interface Peer extends InstanceCommon {
  readonly role: 'sentinel';
  readonly master: Master;
  /** It finds the master SDOWN. */
  saysMasterDown: boolean;
  lastOpinionAt: MonoMs | undefined;
  lastAskedAt: MonoMs | undefined;
  lastHelloAt: MonoMs;
  /** Its last hello, from which nothing more is to be learned. */
  knownHello: string;
  /** Whom it voted for, as it told us. */
  leader: string | undefined;
  leaderEpoch: number;
}

export type FailoverState =
  | 'none'
  | 'waitStart'
  | 'selectReplica'
  | 'handOver'
  | 'sendReplicaofNoOne'
  | 'waitPromotion'
  | 'reconfigureReplicas'
  | 'updateConfig';

export interface Failover {
  state: FailoverState;
  epoch: number;
  /** When it began, or when another Sentinel's could have; moved a little by chance so that not all begin at once. */
  startedAt: MonoMs | undefined;
  stateChangedAt: MonoMs;
  /** Asked for by an operator: nobody is asked for votes. */
  isForced: boolean;
  /** Asked for with the master's help, so that nothing acknowledged is lost. */
  isCoordinated: boolean;
  promoted: Replica | undefined;
  /** `startedAt` for which the log has said that we wait. */
  delayLoggedFor: MonoMs | undefined;
  /** Until when requests of others are read before the next one begins. */
  readUntil: MonoMs | undefined;
}

export interface Master extends NodeCommon {
  readonly role: 'master';
  readonly settings: MasterSettings;
  configEpoch: number;
  odownSince: MonoMs | undefined;
  readonly replicas: Map<string, Replica>;
  readonly sentinels: Map<string, Peer>;
  /** Whom we voted for last, and in which epoch. */
  leader: string | undefined;
  leaderEpoch: number;
  readonly failover: Failover;
  /** Since when a restarted master has not answered yet; undefined when it has. */
  rebootedAt: MonoMs | undefined;
}

export type WatchedNode = Master | Replica;
export type Instance = WatchedNode | Peer;

/** Periods and limits, milliseconds; SENTINEL DEBUG changes them. Source: SENTINEL DEBUG of redis-sentinel 7.0.15. */
export interface Periods {
  info: number;
  ping: number;
  ask: number;
  publish: number;
  defaultDownAfter: number;
  defaultFailoverTimeout: number;
  tiltTrigger: number;
  tilt: number;
  reconfigurationTimeout: number;
  minLinkReconnect: number;
  electionTimeout: number;
  scriptMaxRuntime: number;
  scriptRetryDelay: number;
}

export function defaultPeriods(): Periods {
  return {
    info: 10_000,
    ping: 1000,
    ask: 1000,
    publish: 2000,
    defaultDownAfter: 30_000,
    defaultFailoverTimeout: 180_000,
    tiltTrigger: 2000,
    tilt: 30_000,
    reconfigurationTimeout: 10_000,
    minLinkReconnect: 15_000,
    electionTimeout: 10_000,
    scriptMaxRuntime: 60_000,
    scriptRetryDelay: 30_000,
  };
}

/** Where a Sentinel is told to die, to see what the others do. */
export type CrashPoint = 'crash-after-election' | 'crash-after-promotion';

/** A program of the user that is to run. */
export interface Script {
  readonly id: number;
  readonly path: string;
  readonly args: readonly string[];
  attempts: number;
  /** When it began; undefined while it waits. */
  startedAt: MonoMs | undefined;
  notBefore: MonoMs;
  isKilled: boolean;
}
