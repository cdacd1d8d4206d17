/** What the serving side knows of one connected replica. */
import type { MonoMs } from '../base/index.ts';

/** Number of a client connection, as the node has it. */
export type ClientNumber = number;

/**
 * - `handshake`: has spoken REPLCONF, has not asked for data.
 * - `waitSnapshot`: asked, its snapshot has not begun.
 * - `receiving`: its snapshot is on the way.
 * - `loading`: has all of it, and has not said so yet; a stream sent now would hide the mark that ends the snapshot.
 * - `online`: gets the stream.
 */
export type SessionState = 'handshake' | 'waitSnapshot' | 'receiving' | 'loading' | 'online';

/** How a snapshot is sent, and whether the stream follows. */
export interface SessionNeeds {
  /** Understands a snapshot of unknown size that ends with a mark. */
  eof: boolean;
  /** Understands that the replication id changes at `+CONTINUE`. */
  psync2: boolean;
  /** Wants the snapshot and no stream after it. */
  rdbOnly: boolean;
  /** Wants no keys in the snapshot. */
  withoutData: boolean;
}

export interface ReplicaSession {
  readonly client: ClientNumber;
  readonly peerIp: string;
  readonly since: MonoMs;
  /** 0 until told. */
  listeningPort: number;
  /** Empty when the address of the connection serves. */
  announcedIp: string;
  readonly needs: SessionNeeds;
  /** Asked by SYNC, which has no answer before the snapshot. */
  isLegacy: boolean;
  state: SessionState;
  /** The first byte of the stream that it has still to be given; undefined before its snapshot began, or without need. */
  nextOffset: number | undefined;
  ackOffset: number;
  ackTime: MonoMs;
}

export function createSession(client: ClientNumber, peerIp: string, now: MonoMs): ReplicaSession {
  return {
    client,
    peerIp,
    since: now,
    listeningPort: 0,
    announcedIp: '',
    needs: { eof: false, psync2: false, rdbOnly: false, withoutData: false },
    isLegacy: false,
    state: 'handshake',
    nextOffset: undefined,
    ackOffset: 0,
    ackTime: now,
  };
}

/** Whether it counts as a replica in INFO: it asked for data. */
export function isReplica(session: ReplicaSession): boolean {
  return session.state !== 'handshake';
}

export function replicaIp(session: ReplicaSession): string {
  return session.announcedIp === '' ? session.peerIp : session.announcedIp;
}

/** Name for the log. Source: 7.0 replication.c, replicationGetSlaveName(). */
export function replicaName(session: ReplicaSession): string {
  const ip = replicaIp(session);
  if (ip === '') return `client id #${session.client}`;
  return `${ip}:${session.listeningPort === 0 ? '<unknown-replica-port>' : session.listeningPort}`;
}
