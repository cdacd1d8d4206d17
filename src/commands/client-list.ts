/** The line that CLIENT LIST and CLIENT INFO show of a client. Source: CLIENT LIST of redis-server 7.0.15. */
import { REPLY_BUFFER_BYTES } from '../resp/index.ts';
import type { MonoMs } from '../base/index.ts';
import type { Session } from './session.ts';

/** Bytes a connection costs besides its buffers: its objects and its socket, about. */
const CONNECTION_BYTES = 3000;
/** What a key that is watched, a channel, or a prefix that is tracked costs beside its name, and a short name. */
const NAME_BYTES = 96;

/** Types of clients as CLIENT LIST and CLIENT KILL name them. */
export type ClientType = 'normal' | 'master' | 'replica' | 'pubsub';

/** The type that a word names, in any case; `slave` is an older word for a replica. */
export function clientTypeOf(word: string): ClientType | undefined {
  const lower = word.toLowerCase();
  switch (lower) {
    case 'normal':
    case 'master':
    case 'replica':
    case 'pubsub':
      return lower;
    case 'slave':
      return 'replica';
    default:
      return undefined;
  }
}

export function typeOfClient(session: Session): ClientType {
  if (session.role === 'master' || session.role === 'replica') return session.role;
  return session.isSubscriber ? 'pubsub' : 'normal';
}

/** The request that the client is running, as far as its line shows it. */
export interface RunningRequest {
  readonly session: Session;
  /** Bytes of it in the receive buffer, and of its arguments alone. */
  readonly bytes: number;
  readonly argumentBytes: number;
}

/** The line, without its line break. `running` is about the client that asks for it. */
export function clientLine(session: Session, now: MonoMs, running?: RunningRequest): string {
  const { tracking } = session;
  const unsentBytes = session.unsentBytes();
  const outputBytes = session.outputBytes + unsentBytes;
  const own = running?.session === session ? running : undefined;
  const inputBytes = session.inputBytes + (own?.bytes ?? 0);
  const fields: readonly (readonly [string, string | number])[] = [
    ['id', session.id],
    ['addr', session.address],
    ['laddr', session.localAddress],
    ['fd', session.fd],
    ['name', session.name],
    ['age', Math.floor((now - session.createdAt) / 1000)],
    ['idle', Math.floor((now - session.lastInteractionAt) / 1000)],
    ['flags', clientFlags(session)],
    ['db', session.dbIndex],
    ['sub', session.names('channel').size],
    ['psub', session.names('pattern').size],
    ['ssub', session.names('shard').size],
    ['multi', session.queue?.length ?? -1],
    ['qbuf', inputBytes - session.understoodBytes],
    ['qbuf-free', Math.max(0, session.inputCapacity - inputBytes)],
    ['argv-mem', session.argumentBytes + (own?.argumentBytes ?? 0)],
    ['multi-mem', session.queueBytes],
    ['rbs', REPLY_BUFFER_BYTES],
    ['rbp', Math.min(session.reply.length, REPLY_BUFFER_BYTES)],
    ['obl', Math.min(session.reply.length, REPLY_BUFFER_BYTES)],
    ['oll', outputBytes > 0 ? 1 : 0],
    ['omem', outputBytes],
    ['tot-mem', clientBytes(session) + unsentBytes],
    ['events', outputBytes > 0 ? 'rw' : 'r'],
    ['cmd', session.lastCommand?.fullName ?? 'NULL'],
    ['user', session.user.name],
    ['redir', tracking === undefined ? -1 : tracking.redirectId],
    ['resp', session.reply.resp],
  ];
  return fields.map(([name, value]) => `${name}=${value}`).join(' ');
}

/** Bytes that a client costs. What waits for it in the backlog stands there once for all replicas. */
export function clientBytes(session: Session): number {
  const { watchedCount, subscriptionCount, tracking } = session;
  const names = watchedCount + subscriptionCount + (tracking?.prefixes.length ?? 0);
  const buffers = session.inputCapacity + session.outputBytes + session.queueBytes;
  return CONNECTION_BYTES + names * NAME_BYTES + buffers;
}

function clientFlags(session: Session): string {
  const { tracking } = session;
  let flags = '';
  if (session.role === 'replica') flags += session.isMonitor ? 'O' : 'S';
  else if (session.isMonitor) flags += 'O';
  if (session.role === 'master') flags += 'M';
  // As Valkey 9 shows who sends it keys of slots.
  if (session.role === 'source') flags += 'i';
  if (session.isSubscriber) flags += 'P';
  if (session.queue !== undefined) flags += 'x';
  if (session.blocked !== undefined && session.blocked.kind !== 'pause') flags += 'b';
  if (tracking !== undefined) {
    flags += 't';
    if (tracking.isRedirectBroken) flags += 'R';
    if (tracking.mode === 'broadcast') flags += 'B';
  }
  if (session.isWatchBroken) flags += 'd';
  if (session.address.endsWith(':0') && session.address.startsWith('/')) flags += 'U';
  if (session.isReadonly) flags += 'r';
  if (session.isNoEvict) flags += 'e';
  return flags === '' ? 'N' : flags;
}
