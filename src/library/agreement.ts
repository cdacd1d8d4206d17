/** Whether a cluster is whole: what `waitFor('ok')` waits for. */
import { SLOT_COUNT } from '../base/index.ts';
import { replyFacts, replyText } from '../client/index.ts';
import type { LocalNode } from './local-node.ts';

/** One line of CLUSTER NODES. */
interface View {
  readonly id: string;
  readonly flags: readonly string[];
  readonly masterId: string;
  readonly slots: readonly string[];
}

/**
 * True when every node that runs (and is not paused) is in state ok, all of them see the same roles and slots, every slot
 * belongs to one of them, nobody takes one of them for failed, and every replica follows its master.
 */
export async function isWhole(nodes: ReadonlyMap<string, LocalNode>): Promise<boolean> {
  const awake = [...nodes].filter(([, node]) => node.isRunning && !node.isPaused);
  if (awake.length === 0) return false;
  const ids = new Set(awake.map(([id]) => id));
  if (awake.some(([, node]) => node.role() === 'replica' && !node.isFollowing)) return false;
  const sights = await Promise.all(awake.map(([, node]) => sightOf(node, ids)));
  return sights.every((sight) => sight !== undefined && sight === sights[0]);
}

/** What a node sees of those that run, as text to compare; undefined when something is missing. */
async function sightOf(node: LocalNode, ids: ReadonlySet<string>): Promise<string | undefined> {
  const [info, text] = await Promise.all([
    node.call('CLUSTER', 'INFO'),
    node.call('CLUSTER', 'NODES'),
  ]);
  if (replyFacts(info).get('cluster_state') !== 'ok') return undefined;
  const views = viewsIn(replyText(text)).filter(({ id }) => ids.has(id));
  if (views.length < ids.size || views.some(({ flags }) => flags.some(isTrouble))) return undefined;
  let slotCount = 0;
  for (const { slots } of views) for (const range of slots) slotCount += sizeOf(range);
  if (slotCount < SLOT_COUNT) return undefined;
  const facts = views.map(({ id, flags, masterId, slots }) => {
    const role = flags.includes('master') ? 'master' : `replica of ${masterId}`;
    return `${id} ${role} ${slots.join(' ')}`;
  });
  return facts.toSorted().join('\n');
}

function viewsIn(text: string): View[] {
  const lines = text.split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [id = '', , flags = '', masterId = '', , , , , ...slots] = line.split(' ');
    // Slots on the move stand in brackets; they are also in their owner's ranges.
    return {
      id,
      flags: flags.split(','),
      masterId,
      slots: slots.filter((range) => !range.startsWith('[')),
    };
  });
}

function isTrouble(flag: string): boolean {
  return ['fail', 'fail?', 'handshake', 'noaddr'].includes(flag);
}

function sizeOf(range: string): number {
  const [first = 0, last = first] = range.split('-').map(Number);
  return last - first + 1;
}
