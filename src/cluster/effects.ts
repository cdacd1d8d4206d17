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
