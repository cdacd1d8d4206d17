/** What is sent to every instance by itself: PING, INFO and hello. */
import { type MonoMs, earlier } from '../base/index.ts';
import type { SentinelContext } from './context.ts';
import { sayHello } from './hello.ts';
import { askInfo, isBusy, isConnected, pingMs, sendPing } from './links.ts';
import type { Instance, WatchedNode } from './types.ts';

/** Period of INFO while it matters to see changes soon. */
const FAST_INFO_MS = 1000;

/** The same for replicas that others wait for. */
const CHANGING_INFO_MS = 100;

/**
 * What is due waits for the next PING to the same place, so that all of it leaves in one packet and is answered in one:
 * with a hundred masters packets are what costs.
 */
export function sendPeriodic(c: SentinelContext, instance: Instance): void {
  const { link, role } = instance;
  if (!isConnected(link) || isBusy(link)) return;
  const now = c.now.mono;
  if (now >= link.pingDueAt) sendPing(c, instance);
  if (role !== 'sentinel') {
    askInfoIfDue(c, instance, link.lastPingAt === now ? 0 : pingMs(c, instance));
  }
  if (now >= instance.helloDueAt) sayHello(c, instance);
}

/** When there is something to send again by itself; undefined while it cannot be sent. */
export function nextPeriodicAt({ link, helloDueAt }: Instance): MonoMs | undefined {
  return isConnected(link) ? earlier(link.pingDueAt, helloDueAt) : undefined;
}

/** `graceMs`: for how long INFO may still wait where it is not urgent. */
function askInfoIfDue(c: SentinelContext, node: WatchedNode, graceMs: number): void {
  if (node.infoAt !== undefined) {
    const periodMs = infoPeriodMs(c, node);
    const isUrgent = periodMs < c.periods.info;
    if (c.since(node.infoAt) <= periodMs + (isUrgent ? 0 : graceMs)) return;
  }
  // A node that does not answer is found out by PING; asking again would not help.
  if (node.link.command?.expected.some((expected) => expected.kind === 'info')) return;
  askInfo(c, node);
}

function infoPeriodMs(c: SentinelContext, node: WatchedNode): number {
  if (node.role === 'master') return c.periods.info;
  if (node.isPromoted || node.reconfiguration === 'sent' || node.reconfiguration === 'inProgress') {
    return CHANGING_INFO_MS;
  }
  const { failover, odownSince } = node.master;
  // One that calls itself a master is put right after a while, unless it was put right or promoted meanwhile.
  const isPressing =
    odownSince !== undefined ||
    failover.state !== 'none' ||
    node.masterLinkDownMs !== 0 ||
    node.reportedRole === 'master';
  return isPressing ? Math.min(FAST_INFO_MS, c.periods.info) : c.periods.info;
}
