/** Inputs and effects of the side that follows a master. */
import type { ReplicationEvent } from './events.ts';

export type LinkInput =
  /** REPLICAOF, or a cluster's REPLICATE. */
  | {
      readonly kind: 'follow';
      readonly host: string;
      readonly port: number;
      /** The node starts as a replica: it has no history of its own that a master could know. */
      readonly isAtStart?: boolean;
      /** It follows us, and is asked to change places. */
      readonly isHandover?: boolean;
    }
  /** The node becomes a master. */
  | { readonly kind: 'stop' }
  | { readonly kind: 'connected' }
  | { readonly kind: 'connectFailed'; readonly reason: string }
  /** The master or the network ended the connection. */
  | { readonly kind: 'closed' }
  /** The received snapshot is the data now; its stream has `streamDb` selected. */
  | { readonly kind: 'snapshotLoaded'; readonly streamDb: number }
  /** `isForeign`: it is sound, and holds what this server does not have. */
  | { readonly kind: 'snapshotFailed'; readonly reason: string; readonly isForeign: boolean }
  /** The stream asked for an acknowledgement. */
  | { readonly kind: 'getAck' }
  /** The stream is not made of commands: nothing after it can be trusted. */
  | { readonly kind: 'protocolError' }
  /** The next command of the stream is not known here: nothing of it, or of its transaction, was carried out. */
  | { readonly kind: 'commandRefused' }
  /** The master became reachable, says somebody who knows: no need to wait out a delay. */
  | { readonly kind: 'retryNow' }
  | { readonly kind: 'tick' };

export type LinkEffect =
  | { readonly kind: 'connect'; readonly host: string; readonly port: number }
  | { readonly kind: 'send'; readonly bytes: Buffer }
  /** Close the connection; nothing of it may be reported afterwards, not even that it closed. */
  | { readonly kind: 'close' }
  /** A snapshot begins: take it in beside the data. */
  | { readonly kind: 'beginSnapshot'; readonly sizeBytes: number | undefined }
  /**
   * Part of the snapshot, in order. Unlike other effects it may be a view into the bytes received, valid until the next
   * call: copying every full synchronisation once more would serve nobody.
   */
  | {
      readonly kind: 'snapshotBytes';
      readonly buf: Buffer;
      readonly at: number;
      readonly size: number;
    }
  /** All of it was given; answer with `snapshotLoaded` or `snapshotFailed`. */
  | { readonly kind: 'endSnapshot' }
  /** Forget the part of a snapshot received so far. */
  | { readonly kind: 'abortSnapshot' }
  /** Part of the command stream, in order; a view as above. Report what was applied to the source's `relay`. */
  | { readonly kind: 'stream'; readonly buf: Buffer; readonly at: number; readonly size: number }
  /** The stream is broken off: forget an incomplete command at its end. */
  | { readonly kind: 'resetStream' }
  /** Sub-replicas hold another history now: let them go. */
  | { readonly kind: 'disconnectReplicas' }
  /** Whether the replica that was asked to change places does so; if not, the link is to stop. */
  | { readonly kind: 'handoverAnswered'; readonly isAccepted: boolean }
  | { readonly kind: 'linkUp' }
  | { readonly kind: 'linkDown' }
  | { readonly kind: 'log'; readonly event: ReplicationEvent };

export function linkLog(event: ReplicationEvent): LinkEffect {
  return { kind: 'log', event };
}
