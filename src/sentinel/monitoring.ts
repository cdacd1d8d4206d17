/** What is sent to every instance by itself: PING, INFO and hello. */
import type { SentinelContext } from './context.ts';
import { sayHello } from './hello.ts';
import { askInfo, downAfterMs, isBusy, isConnected, sendPing } from './links.ts';
import type { Instance, WatchedNode } from './types.ts';

/** Period of INFO while it matters to see changes soon. */
const FAST_INFO_MS = 1000;

/** The same for replicas that others wait for. */
const CHANGING_INFO_MS = 100;

export function sendPeriodic(c: SentinelContext, instance: Instance): void {
  const { link, role } = instance;
  if (!isConnected(link) || isBusy(link)) return;
  if (role !== 'sentinel') askInfoIfDue(c, instance);
  const pingMs = Math.min(downAfterMs(instance), c.periods.ping);
  if (c.since(link.lastPongAt) > pingMs && c.since(link.lastPingAt) > pingMs / 2) {
    sendPing(c, instance);
  }
  if (c.since(instance.lastPublishedAt) > c.periods.publish) sayHello(c, instance);
}

function askInfoIfDue(c: SentinelContext, node: WatchedNode): void {
  if (node.infoAt !== undefined && c.since(node.infoAt) <= infoPeriodMs(c, node)) return;
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
  const isPressing =
    odownSince !== undefined || failover.state !== 'none' || node.masterLinkDownMs !== 0;
  return isPressing ? Math.min(FAST_INFO_MS, c.periods.info) : c.periods.info;
}
