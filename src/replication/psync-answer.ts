/**
 * What a master may answer to PSYNC, as one line without its end.
 * Source: 7.0 replication.c, slaveTryPartialResynchronization().
 */
import { isHexId, replid, type Replid } from '../base/index.ts';

/** The answer of a master that is asked to become one. */
export const ALREADY_MASTER = "ERR PSYNC FAILOVER can't be sent to a master.";

export type PsyncAnswer =
  | { readonly kind: 'full'; readonly replid: Replid; readonly offset: number }
  /** `replid` is absent when the master does not tell a new one. */
  | { readonly kind: 'continue'; readonly replid: Replid | undefined }
  /** It cannot serve anybody now, but will. */
  | { readonly kind: 'notReady' }
  | { readonly kind: 'alreadyMaster' }
  /** It does not know PSYNC: SYNC is worth a try. */
  | { readonly kind: 'unsupported' }
  | { readonly kind: 'malformed' };

export function parsePsyncAnswer(line: string): PsyncAnswer {
  if (line.startsWith('+FULLRESYNC')) return parseFull(line);
  if (line.startsWith('+CONTINUE')) {
    const id = line.slice('+CONTINUE'.length).trim();
    return { kind: 'continue', replid: isHexId(id) ? replid(id) : undefined };
  }
  if (line.startsWith('-NOMASTERLINK') || line.startsWith('-LOADING')) return { kind: 'notReady' };
  if (line.slice(1) === ALREADY_MASTER) return { kind: 'alreadyMaster' };
  return { kind: line.startsWith('-') ? 'unsupported' : 'malformed' };
}

function parseFull(line: string): PsyncAnswer {
  const [, id, digits] = line.split(' ');
  const offset = Number(digits);
  const isSound = id !== undefined && isHexId(id) && /^\d+$/.test(digits ?? '');
  return isSound && Number.isSafeInteger(offset)
    ? { kind: 'full', replid: replid(id), offset }
    : { kind: 'malformed' };
}
