/**
 * Whether a replica that left off somewhere may go on from there.
 * Source: 7.0 replication.c, masterTryPartialResync(); https://redis.io/docs/management/replication.
 */
import type { ReplicationHistory } from './history.ts';

/** What follows PSYNC: the history it knows, `?` for none, and the first byte it lacks. */
export interface PsyncPosition {
  readonly replid: string;
  readonly offset: number;
}

export type FullResyncReason =
  | 'requested'
  | 'replidMismatch'
  | 'secondOffsetExceeded'
  | 'backlogMissing'
  | 'offsetTooOld'
  | 'offsetInFuture';

export type PsyncDecision =
  | { readonly kind: 'continue'; readonly offset: number }
  | { readonly kind: 'full'; readonly reason: FullResyncReason };

export function decidePsync(history: ReplicationHistory, asked: PsyncPosition): PsyncDecision {
  const refusal = refusalOf(history, asked);
  return refusal === undefined
    ? { kind: 'continue', offset: asked.offset }
    : { kind: 'full', reason: refusal };
}

function refusalOf(
  history: ReplicationHistory,
  asked: PsyncPosition,
): FullResyncReason | undefined {
  if (asked.replid.toLowerCase() !== history.replid) {
    if (asked.replid === '?') return 'requested';
    if (asked.replid.toLowerCase() !== history.replid2) return 'replidMismatch';
    if (asked.offset > history.secondReplOffset) return 'secondOffsetExceeded';
  }
  const { backlog } = history;
  if (!backlog) return 'backlogMissing';
  if (backlog.has(asked.offset)) return undefined;
  return asked.offset < backlog.firstOffset ? 'offsetTooOld' : 'offsetInFuture';
}
