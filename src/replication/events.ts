/** What replication has to tell the log. The sentence of each is in log-sentence.ts. */
import type { FullResyncReason, PsyncPosition } from './psync-decision.ts';

export type ReplicationEvent =
  // The side that serves replicas. `replica` is its name: address and port, or client number.
  | { readonly name: 'syncAsked'; readonly replica: string }
  | { readonly name: 'offsetMalformed'; readonly replica: string }
  | {
      readonly name: 'fullResyncDecided';
      readonly replica: string;
      readonly reason: FullResyncReason;
      readonly asked: PsyncPosition;
      readonly own: {
        readonly replid: string;
        readonly replid2: string;
        readonly secondReplOffset: number;
      };
    }
  | {
      readonly name: 'partialResyncAccepted';
      readonly replica: string;
      readonly sizeBytes: number;
      readonly offset: number;
    }
  | { readonly name: 'backlogCreated'; readonly replid: string; readonly replid2: string }
  | { readonly name: 'backlogFreed'; readonly afterSeconds: number }
  | { readonly name: 'snapshotDelayed' }
  | { readonly name: 'snapshotQueued' }
  | { readonly name: 'snapshotStarted' }
  | { readonly name: 'snapshotSent'; readonly replica: string; readonly isStreamed: boolean }
  /** Whole, and sent on as it was made. */
  | { readonly name: 'snapshotStreamed'; readonly replicaCount: number }
  /** Nobody is there any more to take it. */
  | { readonly name: 'snapshotAbandoned' }
  | { readonly name: 'snapshotFailed' }
  | { readonly name: 'replicaOnline'; readonly replica: string }
  | { readonly name: 'replicaLost'; readonly replica: string }
  | {
      readonly name: 'replicaTimedOut';
      readonly replica: string;
      readonly phase: 'full' | 'streaming';
    }
  | { readonly name: 'replicaTooSlow'; readonly replica: string }
  | {
      readonly name: 'replidShifted';
      readonly replid: string;
      readonly replid2: string;
      readonly secondReplOffset: number;
    }
  // The side that follows a master.
  | { readonly name: 'connecting'; readonly master: string; readonly isAgain: boolean }
  | { readonly name: 'syncStarted' }
  | { readonly name: 'connectFailed'; readonly reason: string }
  | { readonly name: 'connectionReady' }
  | { readonly name: 'pingAnswered' }
  | { readonly name: 'pingRefused'; readonly reply: string }
  | { readonly name: 'authRefused'; readonly reply: string }
  | { readonly name: 'replconfRefused'; readonly option: string; readonly reply: string }
  | { readonly name: 'ownPositionCached' }
  | { readonly name: 'partialResyncTried'; readonly replid: string; readonly offset: number }
  | { readonly name: 'noCachedMaster' }
  | { readonly name: 'fullResyncAnswered'; readonly replid: string; readonly offset: number }
  | { readonly name: 'partialResyncDone' }
  | { readonly name: 'masterReplidChanged'; readonly replid: string }
  | { readonly name: 'masterNotReady'; readonly reply: string }
  | { readonly name: 'psyncUnsupported'; readonly reply: string }
  | { readonly name: 'answerMalformed'; readonly reply: string }
  | { readonly name: 'masterAborted'; readonly reply: string }
  | { readonly name: 'payloadMalformed'; readonly reply: string }
  | { readonly name: 'receivingStreamed' }
  | { readonly name: 'receivingSized'; readonly sizeBytes: number }
  | { readonly name: 'transferLost'; readonly reason: string }
  | { readonly name: 'loadFailed'; readonly reason: string }
  | { readonly name: 'streamStopped'; readonly offset: number }
  | { readonly name: 'foreignWait'; readonly seconds: number }
  | { readonly name: 'syncFinished' }
  | { readonly name: 'masterLost' }
  | { readonly name: 'masterCached' }
  | { readonly name: 'cacheDiscarded' }
  | { readonly name: 'linkTimedOut'; readonly phase: 'connecting' | 'transfer' | 'connected' };
