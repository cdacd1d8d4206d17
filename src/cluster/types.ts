/** The records that all rules of the cluster machine work on, its options, and the live facts it reads from others. */
import type { MonoMs, NodeId, Slot, UnixMs } from '../base/index.ts';
import type { PacketReader } from '../bus/index.ts';

/** The moment of a step on both clocks. */
export interface Now {
  readonly mono: MonoMs;
  readonly unix: UnixMs;
}

/** Names one bus connection; unique for the life of a machine. */
export type LinkId = number;

export interface Link {
  readonly id: LinkId;
  /** 'to': opened by us, the only kind we send pings on. 'from': opened by a peer. */
  readonly direction: 'to' | 'from';
  node: ClusterNode | undefined;
  readonly createdAt: MonoMs;
  readonly createdAtUnixMs: UnixMs;
  isOpen: boolean;
  readonly reader: PacketReader;
  /** Numeric address of the peer; empty for an outbound link until it opens. */
  remoteIp: string;
  /** Our own address on this connection; empty when not known. */
  readonly localIp: string;
  /** Pings (MEET counts) sent on it, and pongs that came on it: in order, as a link is. */
  pingsSent: number;
  pongsReceived: number;
}

export interface ClusterNode {
  id: NodeId;
  readonly createdAt: MonoMs;
  ip: string;
  port: number;
  plaintextPort: number;
  busPort: number;
  hostname: string;
  /** Shared by a master and its replicas, as far as nodes newer than 7.0 say so; undefined: nobody does. */
  shardId: string | undefined;
  /** Whether it reads ping extensions besides the hostname, and messages behind a light header. */
  readsExtensions: boolean;
  readsLight: boolean;
  /** A node in handshake has not said yet. */
  role: 'master' | 'replica' | 'unknown';
  /** 'pfail': we cannot reach it. 'fail': the majority agrees. */
  health: 'ok' | 'pfail' | 'fail';
  failedAt: MonoMs | undefined;
  inHandshake: boolean;
  /** Greet with MEET rather than PING when the link opens. */
  meetPending: boolean;
  hasNoAddress: boolean;
  /** A master that had replicas, so that it may receive one again. */
  isMigrationTarget: boolean;
  hasNoFailover: boolean;
  master: ClusterNode | undefined;
  replicas: ClusterNode[];
  configEpoch: number;
  /** When it became a master for us. */
  promotedAt: MonoMs | undefined;
  /** The highest currentEpoch that it spoke of. */
  spokenEpoch: number;
  readonly slots: Uint8Array;
  slotCount: number;
  /**
   * Slots that we hold it for the owner of although it does not claim them itself: they went to somebody whose claim has
   * not reached us, and which its own epoch, if that has risen since, must not keep out.
   */
  disowned: Uint8Array | undefined;
  /** When the pending ping left; undefined when none is pending. */
  pingSentAt: MonoMs | undefined;
  pongReceivedAt: MonoMs | undefined;
  dataReceivedAt: MonoMs | undefined;
  /** When we last voted for a replica of this master. */
  votedAt: MonoMs | undefined;
  replOffset: number;
  orphanedAt: MonoMs | undefined;
  link: Link | undefined;
  inboundLink: Link | undefined;
  readonly failureReports: Map<ClusterNode, MonoMs>;
}

export type ClusterHealth = 'ok' | 'fail';

/** Resolved configuration; replaced whole by the input `configChanged`. */
export interface ClusterOptions {
  /** cluster-node-timeout, ms; default 15000. */
  readonly nodeTimeoutMs: number;
  /** cluster-replica-validity-factor; 0 means data is never too old; default 10. */
  readonly replicaValidityFactor: number;
  /** cluster-replica-no-failover; default false. */
  readonly replicaNoFailover: boolean;
  /** cluster-migration-barrier; default 1. */
  readonly migrationBarrier: number;
  /** cluster-allow-replica-migration; default true. */
  readonly allowReplicaMigration: boolean;
  /** cluster-require-full-coverage; default true. */
  readonly requireFullCoverage: boolean;
  /** cluster-announce-ip; empty: learn it from the connections. */
  readonly announceIp: string;
  /** cluster-announce-hostname; empty: none. */
  readonly announceHostname: string;
  readonly preferredEndpointType: 'ip' | 'hostname' | 'unknown-endpoint';
  /** Announced client port (the TLS port under tls-cluster). */
  readonly port: number;
  /** Announced plain port when `port` is the TLS port, else 0. */
  readonly plaintextPort: number;
  /** Announced bus port. */
  readonly busPort: number;
  /** cluster-link-sendbuf-limit, bytes; 0: none. */
  readonly linkSendBufferBytesMax: number;
  /** cluster-slot-migration-log-max-len: ended moves that are remembered; default 1000. */
  readonly slotMigrationLogLength: number;
  /** repl-ping-replica-period, ms; default 10000. */
  readonly replPingReplicaPeriodMs: number;
}

/** Live facts of replication. */
export interface ReplicationView {
  /** Bytes produced as master or processed as replica; goes on without a jump when the role changes. */
  replOffset(): number;
  /**
   * Milliseconds since the last byte from the master, or since the link to it went down; undefined until the first
   * synchronisation with the present master is complete.
   */
  masterSilenceMs(): number | undefined;
  /** Master that replication follows; undefined when none. */
  masterAddress(): { readonly host: string; readonly port: number } | undefined;
}

/** Live facts of the keyspace. */
export interface KeysView {
  countKeysInSlot(slot: Slot): number;
  /** Keys of database 0. */
  dbSize(): number;
  /** Whether a script is in the middle of its changes; what it will pass on is in no offset yet. */
  isInScript(): boolean;
}

/** Live facts of the connections. */
export interface LinksView {
  /** Bytes accepted for a link and not yet taken by the system. */
  sendBufferBytes(link: LinkId): number;
}
