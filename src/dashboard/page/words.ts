/** What states are called on the page, and how they look. Pure. */
import type { Health, NodeSnapshot, WatchEvent, WatchSnapshot } from '../../tools/watch/index.ts';
import { bytes } from './format.ts';

export type Tone = WatchEvent['tone'];

export const HEALTH_WORDS: Readonly<Record<Health, string>> = {
  ok: 'well',
  loading: 'loading',
  unreachable: 'unreachable',
  pfail: 'PFAIL',
  sdown: 'SDOWN',
  fail: 'FAIL',
  odown: 'ODOWN',
  unknown: 'not asked yet',
};

const HEALTH_TONES: Readonly<Record<Health, Tone>> = {
  ok: 'good',
  loading: 'warn',
  unreachable: 'warn',
  pfail: 'warn',
  sdown: 'warn',
  fail: 'bad',
  odown: 'bad',
  unknown: 'info',
};

export const STATE_WORDS: Readonly<Record<WatchSnapshot['state'], string>> = {
  ok: 'All is well',
  degraded: 'Serving, not all is well',
  fail: 'Not serving',
};

export const STATE_TONES: Readonly<Record<WatchSnapshot['state'], Tone>> = {
  ok: 'good',
  degraded: 'warn',
  fail: 'bad',
};

/** A master with replicas alone has nobody who could carry a switchover out. */
export function canSwitchOver({ kind }: WatchSnapshot): boolean {
  return kind !== 'replication';
}

/** A replica that has lost its master is not well, whatever others think of it. */
export function toneOf({ health, stats }: NodeSnapshot): Tone {
  if (health === 'ok' && stats?.isLinkUp === false) return 'warn';
  return HEALTH_TONES[health];
}

/** How far a replica is behind. */
export function lagText({ health, stats }: NodeSnapshot): string {
  if (health !== 'ok') return HEALTH_WORDS[health];
  if (stats === undefined) return '';
  if (stats.isSyncing) return 'full copy';
  if (!stats.isLinkUp) return 'no link';
  if (stats.lagBytes === undefined) return '';
  return stats.lagBytes === 0 ? 'in step' : `−${bytes(stats.lagBytes)}`;
}

/** One sentence about a node, for those who do not see the picture. */
export function sentenceOf(node: NodeSnapshot, masterAddress: string | undefined): string {
  const role =
    node.role === 'master' ? 'master' : `replica of ${masterAddress ?? 'an unknown master'}`;
  const more = node.role === 'replica' ? `, ${lagText(node)}` : '';
  return `${node.address}, ${role}, ${HEALTH_WORDS[node.health]}${more}`;
}
