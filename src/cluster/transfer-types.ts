/** What both ends of an atomic move of slots know of it: an export at its source, an import at its target. */
import type { MonoMs, UnixMs } from '../base/index.ts';
import type { ClusterNode, Link } from './types.ts';

/** A question to the voters; see `beginRound`. */
export interface BusRound {
  readonly startedAt: MonoMs;
  readonly voters: readonly ClusterNode[];
  /** The link on which each voter was asked, and how many pongs it must have brought by then. */
  readonly awaited: ReadonlyMap<ClusterNode, { readonly link: Link; readonly pongs: number }>;
}

export type TransferResult = 'success' | 'failed' | 'cancelled';
interface Ended {
  readonly kind: TransferResult;
}

/** Where an export stands; from `draining` on writes to its slots wait. */
export type ExportPhase =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'copying' }
  /** All keys went; writes still follow, until the target can take over at once. */
  | { readonly kind: 'waiting'; readonly hasTurn: boolean }
  /** The target takes in the last writes and has its replicas acknowledge them. */
  | { readonly kind: 'draining'; readonly heldAt: MonoMs }
  /** The majority hears of the epoch behind the one that the target will claim. */
  | {
      readonly kind: 'fencing';
      readonly heldAt: MonoMs;
      readonly readyAt: MonoMs;
      readonly epoch: number;
      readonly round: BusRound;
    }
  /** The target may take over; from here on only the bus can give the slots back. */
  | { readonly kind: 'handing'; readonly readyAt: MonoMs }
  /** Did it? The majority is asked, first on our connections and then on its own. */
  | { readonly kind: 'asking'; readonly round: BusRound; readonly isReturn: boolean }
  /** It did not, and never will: a newer epoch makes that true everywhere. */
  | { readonly kind: 'reclaiming'; readonly round: BusRound }
  | Ended;

export type ImportPhase =
  | { readonly kind: 'receiving' }
  /** All keys came; waits for its turn, then (`awaitedAt`) until the replicas have nearly everything. */
  | { readonly kind: 'queueing'; readonly awaitedAt: MonoMs | undefined }
  /** Its source knows that it is its turn, and will hold writes. */
  | { readonly kind: 'promised'; readonly since: MonoMs }
  /** Waits for the replicas, or for another import to be through. */
  | { readonly kind: 'draining'; readonly isAwaited: boolean }
  | { readonly kind: 'ready'; readonly readyAt: MonoMs }
  /** The replicas hear of the takeover before anybody else. */
  | { readonly kind: 'sharing'; readonly readyAt: MonoMs; readonly epoch: number }
  /** Claimed; served as soon as the majority knows. */
  | { readonly kind: 'confirming'; readonly readyAt: MonoMs; readonly round: BusRound }
  | Ended;

interface Transfer {
  /** 40 hexadecimal digits, the same at both ends. */
  readonly name: string;
  readonly slots: Uint8Array;
  readonly createdAt: UnixMs;
  updatedAt: UnixMs;
  /** When the other end was last heard. */
  ackedAt: UnixMs;
  message: string;
}

export interface SlotExport extends Transfer {
  readonly operation: 'EXPORT';
  readonly target: ClusterNode;
  phase: ExportPhase;
}

export interface SlotImport extends Transfer {
  readonly operation: 'IMPORT';
  readonly source: ClusterNode;
  phase: ImportPhase;
}
