import { upToZero } from '../base/index.ts';
/** The operator's commands and their answers as data, and the real server's text for every refusal. */

export interface MigrateSlots {
  /** A bitmap of those to move. */
  readonly slots: Uint8Array;
  readonly targetId: string;
}

export type LinkDirection = 'to' | 'from' | 'all';

export type SlotAction =
  | { readonly to: 'migrating'; readonly nodeId: string }
  | { readonly to: 'importing'; readonly nodeId: string }
  | { readonly to: 'stable' }
  | { readonly to: 'node'; readonly nodeId: string };

export type AdminCommand =
  | { readonly kind: 'meet'; readonly ip: string; readonly port: number; readonly busPort: number }
  | { readonly kind: 'forget'; readonly nodeId: string }
  | { readonly kind: 'replicate'; readonly nodeId: string }
  | { readonly kind: 'failover'; readonly mode: 'coordinated' | 'force' | 'takeover' }
  /** Slots are checked to be in [0, 16384) by the caller. */
  | { readonly kind: 'addSlots'; readonly slots: readonly number[] }
  | { readonly kind: 'delSlots'; readonly slots: readonly number[] }
  | { readonly kind: 'flushSlots' }
  | { readonly kind: 'setSlot'; readonly slot: number; readonly action: SlotAction }
  | { readonly kind: 'migrateSlots'; readonly moves: readonly MigrateSlots[] }
  | { readonly kind: 'cancelSlotMigrations' }
  | {
      readonly kind: 'importSlots';
      readonly name: string;
      readonly sourceId: string;
      readonly slots: Uint8Array;
    }
  | { readonly kind: 'reset'; readonly isHard: boolean }
  | { readonly kind: 'setConfigEpoch'; readonly epoch: number }
  | { readonly kind: 'bumpEpoch' }
  | { readonly kind: 'saveConfig' }
  /** DEBUG DROP-CLUSTER-PACKET-FILTER: the type's number, -1 for none, -2 for all. */
  | { readonly kind: 'dropPackets'; readonly typeNumber: number }
  /** DEBUG CLUSTERLINK KILL. */
  | { readonly kind: 'killLinks'; readonly nodeId: string; readonly direction: LinkDirection };

export interface SlotError {
  readonly reason:
    | 'slotBusy'
    | 'slotUnassigned'
    | 'slotRepeated'
    | 'notSlotOwner'
    | 'alreadySlotOwner'
    | 'slotHasKeys';
  readonly slot: number;
}

export type AdminError =
  | SlotError
  | { readonly reason: 'unknownNode' | 'unknownMigrationPeer'; readonly node: string }
  | { readonly reason: 'invalidAddress'; readonly ip: string; readonly port: string }
  | { readonly reason: 'invalidEpoch'; readonly epoch: string }
  | { readonly reason: 'importRefused'; readonly why: string }
  | { readonly reason: PlainReason };

export type AdminResult =
  | { readonly ok: true; readonly isBumped?: boolean; readonly epoch?: number }
  | { readonly ok: false; readonly error: AdminError };

const PLAIN = {
  forgetMyself: "I tried hard but I can't forget myself...",
  forgetMyMaster: "Can't forget my master!",
  replicateMyself: "Can't replicate myself",
  replicateReplica: 'I can only replicate a master, not a replica.',
  notEmpty: 'To set a master the node must be empty and without assigned slots.',
  iAmMaster: 'You should send CLUSTER FAILOVER to a replica',
  masterUnknown: "I'm a replica but my master is unknown to me",
  masterDown: 'Master is down or failed, please use CLUSTER FAILOVER FORCE',
  flushSlotsNotEmpty: 'DB must be empty to perform CLUSTER FLUSHSLOTS.',
  setSlotOnReplica: 'Please use SETSLOT only with masters.',
  targetNotMaster: 'Target node is not a master',
  resetWithKeys: "CLUSTER RESET can't be called with master nodes containing keys",
  epochWithPeers:
    'The user can assign a config epoch only when the node does not know any other node.',
  epochAlreadySet: 'Node config epoch is already non-zero',
  handoverOpen: 'Slots are being handed over by a slot migration, try again',
  migrateOnReplica: 'Slot migrations are started on masters',
  migrateWhileDown: 'The cluster is down',
  migrateTargetUnknown: 'The target node is not known',
  migrateToMyself: 'The target node is this node',
  migrateTargetNotMaster: 'The target node is not a master',
  migrateSlotsNotMine: 'Slots are not served by this node',
  migrateSlotsOpen: 'Slots are being moved by SETSLOT',
  migrateSlotsTwice: 'Slots are being migrated already, or specified multiple times',
  migrateWhileImporting: 'This node is importing slots itself',
} as const;

export type PlainReason = keyof typeof PLAIN;

/** The reply's text after its code, which is ERR for all of them. */
export function adminErrorText(error: AdminError): string {
  switch (error.reason) {
    case 'slotBusy':
      return `Slot ${error.slot} is already busy`;
    case 'slotUnassigned':
      return `Slot ${error.slot} is already unassigned`;
    case 'slotRepeated':
      return `Slot ${error.slot} specified multiple times`;
    case 'notSlotOwner':
      return `I'm not the owner of hash slot ${error.slot}`;
    case 'alreadySlotOwner':
      return `I'm already the owner of hash slot ${error.slot}`;
    case 'slotHasKeys':
      return (
        `Can't assign hashslot ${error.slot} to a different node ` +
        'while I still hold keys for this hash slot.'
      );
    case 'unknownNode':
      return `Unknown node ${upToZero(error.node)}`;
    case 'unknownMigrationPeer':
      return `I don't know about node ${error.node}`;
    case 'invalidAddress':
      return `Invalid node address specified: ${error.ip}:${error.port}`;
    case 'importRefused':
      return error.why;
    case 'invalidEpoch':
      return `Invalid config epoch specified: ${error.epoch}`;
    default:
      return PLAIN[error.reason];
  }
}
