/** What the machine asks its shell to do. The order is a contract: finish one before the next. */
import type { MonoMs, NodeId, Slot } from '../base/index.ts';
import type { PacketType } from '../bus/index.ts';
import type { LogEvent } from './log-events.ts';
import type { NodesConf } from '../config/index.ts';
import type { ClusterHealth, LinkId } from './types.ts';

export type Effect =
  /** Save nodes.conf: it is on disk before the next effect begins. */
  | { readonly kind: 'saveNodesConf'; readonly fsync: true; readonly state: NodesConf }
  /** Save nodes.conf soon, as it is by then; nobody waits for it. */
  | { readonly kind: 'saveNodesConf'; readonly fsync: false }
  /** Connect; answer with linkOpened or linkFailed. Bytes sent meanwhile wait in line. */
  | {
      readonly kind: 'openLink';
      readonly link: LinkId;
      readonly host: string;
      readonly port: number;
    }
  /** Close without answering; a late linkClosed of this link does no harm. */
  | { readonly kind: 'closeLink'; readonly link: LinkId }
  | {
      readonly kind: 'send';
      readonly link: LinkId;
      readonly type: PacketType;
      /** Not to be changed: one broadcast shares one buffer. */
      readonly bytes: Buffer;
    }
  /** Replicate from this master from now on. */
  | {
      readonly kind: 'setMaster';
      readonly nodeId: NodeId;
      readonly host: string;
      readonly port: number;
    }
  /** Stop replicating: this node is a master now. */
  | { readonly kind: 'promote' }
  /** Hold back clients' writes (and expiry and eviction) until then, for a manual failover. */
  | { readonly kind: 'pauseWrites'; readonly until: MonoMs }
  | { readonly kind: 'unpauseWrites' }
  | { readonly kind: 'clusterStateChanged'; readonly state: ClusterHealth }
  /** The slot went to another node: its keys are not ours to keep. */
  | { readonly kind: 'deleteKeysInSlot'; readonly slot: Slot }
  /** Connect to the target of an atomic move, ask it to import the slots, and send their keys and writes. */
  | {
      readonly kind: 'startExport';
      readonly name: string;
      readonly slots: Uint8Array;
      readonly host: string;
      readonly port: number;
    }
  /** Say to the target that all keys went, and that it shall say when it can take over at once. */
  | { readonly kind: 'askTurn'; readonly name: string }
  /** No write to the slots will follow: send what there is and ask whether all of it has arrived. */
  | { readonly kind: 'drainExport'; readonly name: string }
  | { readonly kind: 'sendTakeover'; readonly name: string; readonly epoch: number }
  /** Close the connection. */
  | { readonly kind: 'endExport'; readonly name: string }
  /** Tell the replicas that what they hold of these slots is not theirs to keep. */
  | { readonly kind: 'shareStrays'; readonly slots: Uint8Array }
  /** Tell them that what comes of this slot is theirs to keep again. */
  | { readonly kind: 'shareKeep'; readonly slot: Slot }
  /** Say `replicasCaughtUp` when all connected replicas have acknowledged what was passed on so far. */
  | { readonly kind: 'awaitReplicas'; readonly name: string }
  /** Tell the source that it may hold its clients' writes. */
  | { readonly kind: 'grantTurn'; readonly name: string }
  | { readonly kind: 'importReady'; readonly name: string; readonly epoch: number }
  /** Tell the replicas of the claim to come, and await them. */
  | {
      readonly kind: 'shareTakeover';
      readonly name: string;
      readonly slots: Uint8Array;
      readonly epoch: number;
    }
  | { readonly kind: 'importTaken'; readonly name: string }
  /**
   * End the connection; with an answer that says why, unless the replicas heard of the takeover (`isShared`): they are
   * told that it is over, and the source shall find out by itself.
   */
  | {
      readonly kind: 'endImport';
      readonly name: string;
      readonly reason: string;
      readonly isShared: boolean;
    }
  /** Clients whose writes waited for a handover go on. */
  | { readonly kind: 'releaseSlots' }
  /** Deliver to local subscribers; came from another node. */
  | {
      readonly kind: 'publish';
      readonly channel: Uint8Array;
      readonly message: Uint8Array;
      readonly isShard: boolean;
    }
  /** Drop every key: CLUSTER RESET of a replica. */
  | { readonly kind: 'resetKeyspace' }
  | { readonly kind: 'log'; readonly event: LogEvent };
