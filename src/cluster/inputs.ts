/** Everything that can happen to the machine. Operators' commands come in through `admin`. */
import type { Slot } from '../base/index.ts';
import type { Packet } from '../bus/index.ts';
import type { ExportEvent } from './slot-exports.ts';
import type { ImportEvent } from './slot-imports.ts';
import type { ClusterOptions, LinkId } from './types.ts';

export type Input =
  | { readonly kind: 'tick' }
  | { readonly kind: 'linkOpened'; readonly link: LinkId }
  /** The attempt to connect failed. */
  | { readonly kind: 'linkFailed'; readonly link: LinkId }
  | { readonly kind: 'linkClosed'; readonly link: LinkId }
  /** A peer connected to the bus port; `link` comes from `newLinkId`. */
  | {
      readonly kind: 'inboundLink';
      readonly link: LinkId;
      readonly remoteIp: string;
      readonly localIp: string;
    }
  /** Bytes of a link in any cut; copied, the buffer may be reused at once. */
  | { readonly kind: 'bytes'; readonly link: LinkId; readonly bytes: Uint8Array }
  /** A packet decoded elsewhere; takes the place of `bytes` in tests. */
  | { readonly kind: 'packet'; readonly link: LinkId; readonly packet: Packet }
  /** The offset moved, or the link to the master went up or down. Tell it at once during a manual failover. */
  | { readonly kind: 'replicationChanged' }
  /** News of an atomic move that this node is the source or the target of. */
  | { readonly kind: 'exportEvent'; readonly name: string; readonly event: ExportEvent }
  | { readonly kind: 'importEvent'; readonly name: string; readonly event: ImportEvent }
  /** From our master's stream: see the effects of these names. */
  | { readonly kind: 'straysShared'; readonly slots: Uint8Array }
  | { readonly kind: 'keepShared'; readonly slot: Slot }
  /** A full synchronisation brought the master's data: what was known of ours does not hold for it. */
  | { readonly kind: 'dataReplaced' }
  | {
      readonly kind: 'takeoverShared';
      readonly claim: { readonly slots: Uint8Array; readonly epoch: number } | undefined;
    }
  /** A local client published: pass it on. */
  | {
      readonly kind: 'publish';
      readonly channel: Uint8Array;
      readonly message: Uint8Array;
      readonly isShard: boolean;
    }
  | { readonly kind: 'configChanged'; readonly options: ClusterOptions }
  /** The data of the last run is loaded, if the disk had any. */
  | { readonly kind: 'dataLoaded'; readonly hadData: boolean };
