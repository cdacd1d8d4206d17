/** The state that all rules share, and the few primitive moves on it. Rules live in their own files. */
import {
  type MonoMs,
  type NodeId,
  type Rng,
  SLOT_COUNT,
  type Slot,
  addMs,
  invariant,
  monoMs,
  nodeId,
  randomHex,
  unixMs,
} from '../base/index.ts';
import { PACKET_TYPES, type PacketType, SLOT_BITMAP_SIZE } from '../bus/index.ts';
import type { Effect } from './effects.ts';
import type { LogEvent } from './log-events.ts';
import type { ClusterRules } from './rules.ts';
import type { SlotExport, SlotImport } from './transfer-types.ts';
import type {
  ClusterHealth,
  ClusterNode,
  ClusterOptions,
  KeysView,
  Link,
  LinkId,
  LinksView,
  Now,
  ReplicationView,
} from './types.ts';

/** Protection of CLUSTER FORGET against gossip that still names the node. Source: Redis 7.0 behaviour, 60 s. */
export const FORGET_MS = 60_000;

export type ManualFailover =
  | { readonly state: 'idle' }
  /** We are the master: writes are paused, our pings say so. */
  | { readonly state: 'serving'; readonly deadline: MonoMs; readonly replica: ClusterNode }
  | {
      readonly state: 'awaitingMasterOffset';
      readonly deadline: MonoMs;
      readonly askedAt: MonoMs;
    }
  | {
      readonly state: 'catchingUp';
      readonly deadline: MonoMs;
      readonly masterOffset: number;
    }
  | { readonly state: 'ready'; readonly deadline: MonoMs; readonly mode: 'coordinated' | 'force' };

export type Election =
  | { readonly state: 'idle' }
  | ScheduledElection
  | {
      readonly state: 'requesting';
      readonly epoch: number;
      readonly startAt: MonoMs;
      readonly voters: Set<ClusterNode>;
      readonly askAgainAt: MonoMs;
    };

/** `startAt` moves when our rank worsens. After an expired attempt nothing happens before its retry time. */
export interface ScheduledElection {
  readonly state: 'scheduled';
  /** A rival heard since then has told its offset. */
  readonly since: MonoMs;
  readonly startAt: MonoMs;
  /** Replicas of our master that are ahead of us. */
  readonly rank: number;
  /** Other failing masters whose replicas go first. */
  readonly shards: number;
  /** Whether we stand as soon as it is our turn among the rivals, once each of them has been heard. */
  readonly asksRivals: boolean;
}

/** A master without data looks for who has it; see `beginDataSearch`. */
export interface DataSearch {
  readonly startedAt: MonoMs;
  /** Who may have it and has not been heard of. */
  readonly unheard: Set<ClusterNode>;
  /** Links with a ping that waits for its pong until we speak again. */
  readonly unanswered: Set<Link>;
  /** Masters that say that they serve slots of ours, and since when. */
  readonly servedSince: Map<ClusterNode, MonoMs>;
  /** Somebody has it. */
  isFound: boolean;
  /** A replica of ours has it: we said that we are failing, and say so to whoever asks. */
  isDeclared: boolean;
}

export interface ContextInit {
  readonly options: ClusterOptions;
  readonly rng: Rng;
  readonly rules: ClusterRules;
  readonly replication: ReplicationView;
  readonly keys: KeysView;
  readonly links: LinksView;
}

export class ClusterContext {
  options: ClusterOptions;
  readonly rng: Rng;
  readonly rules: ClusterRules;
  readonly replication: ReplicationView;
  readonly keys: KeysView;
  readonly linksView: LinksView;

  now: Now = { mono: monoMs(0), unix: unixMs(0) };
  effects: Effect[] = [];

  readonly nodes: Map<NodeId, ClusterNode> = new Map<NodeId, ClusterNode>();
  /** The same nodes in a row, for drawing at random. */
  readonly nodeList: ClusterNode[] = [];
  myself: ClusterNode;
  readonly owners: (ClusterNode | undefined)[] = Array.from(
    { length: SLOT_COUNT },
    () => undefined,
  );
  readonly migratingTo: Map<Slot, ClusterNode> = new Map<Slot, ClusterNode>();
  readonly importingFrom: Map<Slot, ClusterNode> = new Map<Slot, ClusterNode>();
  /** Ids of nodes that were forgotten on purpose, and until when they may not come back. */
  readonly forgotten: Map<string, MonoMs> = new Map<string, MonoMs>();
  /** Addresses whose handshake ran out, and until when a call from there begins it anew. */
  readonly ranOut: Map<string, MonoMs> = new Map<string, MonoMs>();
  readonly links: Map<LinkId, Link> = new Map<LinkId, Link>();

  currentEpoch = 0;
  lastVoteEpoch = 0;
  health: ClusterHealth = 'fail';
  /** Masters that serve slots. */
  size = 0;
  firstUpdateAt: MonoMs | undefined;
  inMinorityAt: MonoMs | undefined;

  election: Election = { state: 'idle' };
  manualFailover: ManualFailover = { state: 'idle' };
  /** An epoch taken and saved ahead of a manual failover's election; see `reserveEpoch`. */
  reservedEpoch: number | undefined;
  /** Atomic moves of slots under way, and those that ended, the oldest first. */
  readonly transfers: (SlotExport | SlotImport)[] = [];
  readonly endedTransfers: (SlotExport | SlotImport)[] = [];
  /** Slots whose writes wait for the end of a handover. */
  heldSlots: Uint8Array | undefined;
  /** What this node holds of these slots is rubbish wherever they are not its own; see `markStrays`. */
  strays: Uint8Array | undefined;
  /** Those of them that are not the shard's, until something changes. */
  hiddenSlots: ReadonlySet<number> | undefined;
  /** Of a replica: what its master is about to claim. */
  sharedTakeover: { readonly slots: Uint8Array; readonly epoch: number } | undefined;

  dataSearch: DataSearch | undefined;

  lastCannotFailover: string | undefined;
  lastCannotFailoverAt: MonoMs | undefined;

  /** Work that the end of the step does once. */
  saveWanted: 'no' | 'save' | 'fsync' = 'no';
  updateWanted = false;
  failoverWanted = false;

  readonly sentCounts: Map<PacketType, number> = zeroCounts();
  readonly receivedCounts: Map<PacketType, number> = zeroCounts();
  linkBufferExceededCount = 0;
  /** Packets of this type number are dropped (DEBUG DROP-CLUSTER-PACKET-FILTER); -1: none. */
  droppedTypeNumber = -1;
  #nextLinkId = 1;
  #hasAnnouncedIp = false;

  constructor(init: ContextInit) {
    this.options = init.options;
    this.rng = init.rng;
    this.rules = init.rules;
    this.replication = init.replication;
    this.keys = init.keys;
    this.linksView = init.links;
    this.myself = this.newNode(nodeId(randomHex(init.rng, 40)));
    this.myself.role = 'master';
    this.addNode(this.myself);
    this.describeMyself();
  }

  newLinkId(): LinkId {
    return this.#nextLinkId++;
  }

  newNode(id: NodeId): ClusterNode {
    return {
      id,
      createdAt: this.now.mono,
      ip: '',
      port: 0,
      plaintextPort: 0,
      busPort: 0,
      hostname: '',
      shardId: undefined,
      readsExtensions: false,
      readsLight: false,
      role: 'unknown',
      health: 'ok',
      failedAt: undefined,
      inHandshake: false,
      meetPending: false,
      hasNoAddress: false,
      isMigrationTarget: false,
      hasNoFailover: false,
      master: undefined,
      replicas: [],
      configEpoch: 0,
      promotedAt: undefined,
      spokenEpoch: 0,
      slots: new Uint8Array(SLOT_BITMAP_SIZE),
      slotCount: 0,
      disowned: undefined,
      pingSentAt: undefined,
      pongReceivedAt: undefined,
      dataReceivedAt: undefined,
      votedAt: undefined,
      replOffset: 0,
      orphanedAt: undefined,
      link: undefined,
      inboundLink: undefined,
      failureReports: new Map<ClusterNode, MonoMs>(),
    };
  }

  addNode(node: ClusterNode): void {
    invariant(!this.nodes.has(node.id), 'a node id is known once');
    this.nodes.set(node.id, node);
    this.nodeList.push(node);
  }

  renameNode(node: ClusterNode, id: NodeId): void {
    this.nodes.delete(node.id);
    node.id = id;
    invariant(!this.nodes.has(id), 'a node id is known once');
    this.nodes.set(id, node);
  }

  /** Takes what the options say of this node into its record. */
  describeMyself(): void {
    const { myself, options } = this;
    myself.port = options.port;
    myself.plaintextPort = options.plaintextPort;
    myself.busPort = options.busPort;
    myself.hostname = options.announceHostname;
    if (options.announceIp !== '') myself.ip = options.announceIp;
    else if (this.#hasAnnouncedIp) myself.ip = '';
    this.#hasAnnouncedIp = options.announceIp !== '';
    myself.hasNoFailover = options.replicaNoFailover;
  }

  log(event: LogEvent): void {
    this.effects.push({ kind: 'log', event });
  }

  emit(effect: Effect): void {
    this.effects.push(effect);
  }

  /** Asks for nodes.conf to be written at the head of this step's effects. */
  save(how: 'save' | 'fsync'): void {
    if (how === 'fsync' || this.saveWanted === 'no') this.saveWanted = how;
  }

  /** Milliseconds from `time` to now. */
  since(time: MonoMs): number {
    return this.now.mono - time;
  }

  /** The unix clock's reading at `time`; 0 for never, and for what a clock set back would put before 1970. */
  unixOf(time: MonoMs | undefined): number {
    return time === undefined ? 0 : Math.max(0, this.now.unix - (this.now.mono - time));
  }

  after(deltaMs: number): MonoMs {
    return addMs(this.now.mono, deltaMs);
  }
}

function zeroCounts(): Map<PacketType, number> {
  return new Map<PacketType, number>(PACKET_TYPES.map((type) => [type, 0]));
}

/** Whose slots this node is about: its own, or its master's. */
export function slotHolder(node: ClusterNode): ClusterNode {
  return node.role === 'replica' && node.master !== undefined ? node.master : node;
}

export function isVotingMaster(node: ClusterNode): boolean {
  return node.role === 'master' && node.slotCount > 0;
}

/** Whether this node looks for its data and has not been replaced yet: of itself it says on the bus only that it fails. */
export function isMute(c: ClusterContext): boolean {
  return c.dataSearch !== undefined && isVotingMaster(c.myself);
}
