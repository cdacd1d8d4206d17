/** What INFO of masters and replicas tells, and what follows from it. */
import type { Reply } from '../resp/index.ts';
import type { SentinelContext } from './context.ts';
import { promotionSeen, reconfigurationSeen } from './failover.ts';
import { addReplica } from './instances.ts';
import { request, sendReplicaof } from './links.ts';
import type { Master, Replica, WatchedNode } from './types.ts';

/** How long a node that calls itself a master may keep that up, in hello periods: others might just promote it. */
const CONVERT_HELLO_PERIODS = 4;
const REPLICA_LINE = /^slave\d+$/;

/** Takes an answer to INFO; `text` is one character a byte. */
export function infoReceived(c: SentinelContext, node: WatchedNode, text: string): void {
  node.infoText = text;
  const fields = new Map<string, string>();
  for (const line of text.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  noteRunId(c, node, fields.get('run_id') ?? '');
  const role = fields.get('role') === 'slave' ? 'replica' : 'master';
  if (role === 'master') noteReplicas(c, node, fields);
  if (node.role === 'replica') noteMasterLink(c, node, fields);
  node.infoAt = c.now.mono;
  if (role !== node.reportedRole) noteRole(c, node, role);
  if (c.isTilted || node.role === 'master') return;
  if (role === 'master') masterSeenInReplica(c, node);
  else replicaSeen(c, node);
}

function noteRunId(c: SentinelContext, node: WatchedNode, runId: string): void {
  if (runId === '' || runId === node.runId) return;
  if (node.runId !== '') {
    c.event('notice', '+reboot', node);
    if (node.role === 'master' && node.settings.rebootDownAfterMs > 0) {
      node.rebootedAt = c.now.mono;
    }
  }
  node.runId = runId;
}

/** `slave0:ip=127.0.0.1,port=7001,state=online,…` */
function noteReplicas(
  c: SentinelContext,
  node: WatchedNode,
  fields: ReadonlyMap<string, string>,
): void {
  // Replicas of replicas are not ours to watch.
  if (node.role !== 'master') return;
  for (const [name, value] of fields) {
    if (!REPLICA_LINE.test(name)) continue;
    const parts = new Map(value.split(',').map((part) => splitAt(part, '=')));
    const port = Number(parts.get('port'));
    const address = c.address(parts.get('ip') ?? '', port);
    if (address === undefined || !Number.isInteger(port) || port <= 0) continue;
    const replica = addReplica(c, node, address);
    if (replica === undefined) continue;
    c.event('notice', '+slave', replica);
    c.saveSoon();
  }
}

function splitAt(text: string, mark: string): [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

function noteMasterLink(
  c: SentinelContext,
  replica: Replica,
  fields: ReadonlyMap<string, string>,
): void {
  const number = (name: string, otherwise: number): number => {
    const value = Number(fields.get(name) ?? Number.NaN);
    return Number.isSafeInteger(value) ? value : otherwise;
  };
  replica.masterLinkDownMs = number('master_link_down_since_seconds', 0) * 1000;
  if (fields.get('role') !== 'slave') return;
  const host = fields.get('master_host') ?? '';
  const port = number('master_port', 0);
  if (host !== replica.masterHost || port !== replica.masterPort) {
    replica.masterHost = host;
    replica.masterPort = port;
    replica.masterChangedAt = c.now.mono;
  }
  replica.isMasterLinkUp = fields.get('master_link_status') === 'up';
  replica.priority = number('slave_priority', replica.priority);
  replica.replOffset = number('slave_repl_offset', replica.replOffset);
  replica.isAnnounced = number('replica_announced', 1) !== 0;
}

function noteRole(c: SentinelContext, node: WatchedNode, role: WatchedNode['reportedRole']): void {
  node.reportedRole = role;
  node.reportedRoleAt = c.now.mono;
  if (node.role === 'replica') node.masterChangedAt = c.now.mono;
  const word = role === 'master' ? 'master' : 'slave';
  const type = node.role === role ? '+role-change' : '-role-change';
  c.event('verbose', type, node, ` new reported role is ${word}`);
}

function masterSeenInReplica(c: SentinelContext, replica: Replica): void {
  const { master } = replica;
  const { failover } = master;
  if (replica.isPromoted && failover.state === 'waitPromotion') return promotionSeen(c, replica);
  if (!isLost(c, replica)) return;
  // It may just have been promoted, of which its former master knows: that is asked before anything is undone.
  const { command } = master.link;
  const isAsked = command?.expected.some((one) => one.kind === 'role' && one.rival === replica);
  if (isAsked !== true) request(c, master, ['ROLE'], { kind: 'role', rival: replica });
}

/** A replica that has called itself a master for so long that nobody is about to promote it. */
function isLost(c: SentinelContext, replica: Replica): boolean {
  const waitMs = c.periods.publish * CONVERT_HELLO_PERIODS;
  return (
    replica.reportedRole === 'master' &&
    !replica.isPromoted &&
    isSane(c, replica.master) &&
    isUpFor(c, replica, waitMs) &&
    c.since(replica.reportedRoleAt) > waitMs
  );
}

/** The master's answer to ROLE: where it is one the replica, which said so before, is none. */
export function roleAnswered(c: SentinelContext, rival: Replica, reply: Reply): void {
  const [role] = Array.isArray(reply) ? (reply as readonly Reply[]) : [];
  if (!Buffer.isBuffer(role) || role.toString('latin1') !== 'master') return;
  if (rival.master.replicas.get(rival.name) !== rival || c.isTilted || !isLost(c, rival)) return;
  if (followMaster(c, rival)) c.event('notice', '+convert-to-slave', rival);
}

function replicaSeen(c: SentinelContext, replica: Replica): void {
  const { master } = replica;
  if (!followsAddress(c, replica, master)) {
    const waitMs = master.settings.failoverTimeoutMs;
    const isWrong =
      isSane(c, master) && isUpFor(c, replica, waitMs) && c.since(replica.masterChangedAt) > waitMs;
    if (isWrong && followMaster(c, replica)) c.event('notice', '+fix-slave-config', replica);
  }
  reconfigurationSeen(c, replica);
}

function followsAddress(c: SentinelContext, replica: Replica, master: Master): boolean {
  const { ip, hostname, port } = master.address;
  const { masterHost, masterPort } = replica;
  if (masterPort !== port) return false;
  return masterHost === ip || masterHost === hostname || c.ipOf(masterHost) === ip;
}

function followMaster(c: SentinelContext, replica: Replica): boolean {
  const { address } = replica.master;
  return sendReplicaof(c, replica, { host: c.announced(address), port: address.port });
}

/** Whether nothing speaks against sending replicas to this master. */
function isSane(c: SentinelContext, master: Master): boolean {
  return (
    master.reportedRole === 'master' &&
    master.sdownSince === undefined &&
    master.odownSince === undefined &&
    c.since(master.infoAt) < c.periods.info * 2
  );
}

function isUpFor(c: SentinelContext, replica: Replica, ms: number): boolean {
  return replica.lastSdownAt === undefined || c.since(replica.lastSdownAt) > ms;
}
