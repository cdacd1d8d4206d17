/** Connections to instances: kept open, given up when nobody answers, and who waits for which reply. */
import type { SentinelContext } from './context.ts';
import { beatOf, nextAt } from './beats.ts';
import type {
  Address,
  Connection,
  Expected,
  Instance,
  Link,
  Master,
  WatchedNode,
} from './types.ts';

/** Requests that may wait for their answers on one connection, for each that uses it. */
const PENDING_MAX = 100;
export const HELLO_CHANNEL = '__sentinel__:hello';

export function newLink(c: SentinelContext, to: Address): Link {
  const now = c.now.mono;
  c.isRestless = true;
  return {
    ...{ command: undefined, pubsub: undefined, refCount: 1, localIp: '' },
    // Whoever never answers is SDOWN in due time.
    ...{ unansweredSince: now, lastPingAt: undefined, lastAvailableAt: now, lastPongAt: now },
    ...{ lastReconnectAt: undefined, lastPubsubAt: now, beat: beatOf(to), pingDueAt: now },
  };
}

/** One user of the link less; without any its connections are closed. */
export function dropLink(c: SentinelContext, link: Link): void {
  link.refCount--;
  if (link.refCount > 0) return;
  disconnect(c, link);
}

export function disconnect(c: SentinelContext, link: Link): void {
  for (const connection of [link.command, link.pubsub]) {
    if (connection !== undefined) closeConnection(c, connection);
  }
}

export function closeConnection(c: SentinelContext, connection: Connection): void {
  c.do({ kind: 'close', connection: connection.id });
  connectionClosed(c, connection);
}

export function connectionClosed(c: SentinelContext, connection: Connection): void {
  const { id, kind, link, openedAt } = connection;
  c.connections.delete(id);
  link[kind] = undefined;
  // From here on it owes us an answer, as if it had been asked.
  if (kind === 'command' && openedAt !== undefined) link.unansweredSince ??= c.now.mono;
}

/** Whether requests can be sent. */
export function isConnected({ command }: Link): boolean {
  return command?.openedAt !== undefined;
}

/** Whether it is also heard on the hello channel, which only nodes have. */
export function isFullyConnected({ link, role }: Instance): boolean {
  return isConnected(link) && (role === 'sentinel' || link.pubsub?.openedAt !== undefined);
}

/** Opens what is missing, not more often than once a PING period. */
export function reconnect(c: SentinelContext, instance: Instance): void {
  const { link, address, role } = instance;
  const isWhole = link.command !== undefined && (role === 'sentinel' || link.pubsub !== undefined);
  // Port 0: it says of itself that nobody can reach it.
  if (isWhole || address.port === 0 || c.since(link.lastReconnectAt) < c.periods.ping) return;
  link.lastReconnectAt = c.now.mono;
  link.command ??= openConnection(c, instance, 'command');
  if (role !== 'sentinel') link.pubsub ??= openConnection(c, instance, 'pubsub');
}

function openConnection(
  c: SentinelContext,
  { link, address }: Instance,
  kind: Connection['kind'],
): Connection {
  const connection: Connection = {
    ...{ id: c.newConnectionId(), kind, link, askedAt: c.now.mono },
    ...{ openedAt: undefined, expected: [] },
  };
  c.connections.set(connection.id, connection);
  c.do({ kind: 'open', connection: connection.id, host: address.ip, port: address.port });
  return connection;
}

export function connectionOpened(
  c: SentinelContext,
  connection: Connection,
  localIp: string,
): void {
  connection.openedAt = c.now.mono;
  const { link } = connection;
  const instance = instanceOf(c, link);
  if (instance === undefined) return closeConnection(c, connection);
  if (connection.kind === 'command') link.localIp = localIp;
  introduce(c, connection, instance);
  if (connection.kind === 'command') return sendPing(c, instance);
  link.lastPubsubAt = c.now.mono;
  send(c, connection, instance, ['SUBSCRIBE', HELLO_CHANNEL], { kind: 'subscription' });
}

/** Password and name come before anything else. */
function introduce(c: SentinelContext, connection: Connection, instance: Instance): void {
  const words = credentials(c, instance);
  if (words.length > 0) send(c, connection, instance, ['AUTH', ...words]);
  const kind = connection.kind === 'command' ? 'cmd' : 'pubsub';
  send(c, connection, instance, ['CLIENT', 'SETNAME', `sentinel-${c.myId.slice(0, 8)}-${kind}`]);
}

function credentials(c: SentinelContext, instance: Instance): readonly string[] {
  if (instance.role === 'sentinel') {
    const { sentinelUser, sentinelPass } = c.settings;
    if (sentinelPass === '') return c.requirepass === '' ? [] : [c.requirepass];
    return sentinelUser === '' ? [sentinelPass] : [sentinelUser, sentinelPass];
  }
  const { authUser, authPass } = settingsOf(instance);
  if (authPass === '') return [];
  return authUser === '' ? [authPass] : [authUser, authPass];
}

function settingsOf(instance: Instance): Master['settings'] {
  return instance.role === 'master' ? instance.settings : instance.master.settings;
}

export function downAfterMs(instance: Instance): number {
  return settingsOf(instance).downAfterMs;
}

/** Somebody who uses the link; those who share one are the same Sentinel. */
function instanceOf(c: SentinelContext, link: Link): Instance | undefined {
  for (const instance of c.instances()) if (instance.link === link) return instance;
  return undefined;
}

/** Sends on the command connection; false when that cannot be now. */
export function request(
  c: SentinelContext,
  instance: Instance,
  args: readonly string[],
  expected: Expected = { kind: 'nothing' },
): boolean {
  const { link } = instance;
  if (link.command?.openedAt === undefined) return false;
  send(c, link.command, instance, args, expected);
  return true;
}

function send(
  c: SentinelContext,
  connection: Connection,
  instance: Instance,
  args: readonly string[],
  expected: Expected = { kind: 'nothing' },
): void {
  connection.expected.push(expected);
  c.do({ kind: 'send', connection: connection.id, args: renamed(instance, args) });
}

/** Nodes may know a command by another name; other Sentinels do not. */
function renamed(instance: Instance, args: readonly string[]): readonly string[] {
  if (instance.role === 'sentinel') return args;
  const [name = '', ...rest] = args;
  const to = settingsOf(instance).renames.get(name.toLowerCase())?.to;
  return to === undefined ? args : [to, ...rest];
}

/** Whether so much is unanswered that more would only pile up. */
export function isBusy({ command, refCount }: Link): boolean {
  return (command?.expected.length ?? 0) >= PENDING_MAX * Math.max(1, refCount);
}

export function sendPing(c: SentinelContext, instance: Instance): void {
  const { link } = instance;
  if (!request(c, instance, ['PING'], { kind: 'ping', instance })) return;
  link.lastPingAt = c.now.mono;
  link.pingDueAt = nextAt(c, link.beat, pingMs(c, instance));
  link.unansweredSince ??= c.now.mono;
}

/** Time from one PING to the next. */
export function pingMs(c: SentinelContext, instance: Instance): number {
  return Math.min(downAfterMs(instance), c.periods.ping);
}

export function askInfo(c: SentinelContext, node: WatchedNode): void {
  request(c, node, ['INFO'], { kind: 'info', node });
}

/**
 * Has a node follow a master, or nobody, in one transaction: the configuration is rewritten and clients are closed, so
 * that they ask where the master is. False when the node cannot be reached.
 */
export function sendReplicaof(
  c: SentinelContext,
  node: WatchedNode,
  to: { readonly host: string; readonly port: number } | undefined,
): boolean {
  if (!isConnected(node.link)) return false;
  const target = to === undefined ? ['NO', 'ONE'] : [to.host, String(to.port)];
  const calls = [
    ['MULTI'],
    ['SLAVEOF', ...target],
    ['CONFIG', 'REWRITE'],
    ['CLIENT', 'KILL', 'TYPE', 'normal'],
    ['CLIENT', 'KILL', 'TYPE', 'pubsub'],
    ['EXEC'],
  ];
  for (const call of calls) request(c, node, call);
  return true;
}

/** Gives up connections on which nothing comes any more, though they look open. */
export function dropDeadConnections(c: SentinelContext, instance: Instance): void {
  const { link } = instance;
  const { command, pubsub } = link;
  const half = downAfterMs(instance) / 2;
  const isOld = (connection: Connection): boolean =>
    c.since(connection.askedAt) > c.periods.minLinkReconnect;
  if (
    command !== undefined &&
    isOld(command) &&
    link.unansweredSince !== undefined &&
    c.since(link.unansweredSince) > half &&
    c.since(link.lastPongAt) > half
  ) {
    closeConnection(c, command);
  }
  if (pubsub !== undefined && isOld(pubsub) && c.since(link.lastPubsubAt) > c.periods.publish * 3) {
    closeConnection(c, pubsub);
  }
}
