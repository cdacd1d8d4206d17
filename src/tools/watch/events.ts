/** What happened between two snapshots, in the order in which a failover happens. Pure. */
import { type SlotRange, slotCount, slotsOf } from '../cluster/index.ts';
import type { EventDraft, Health, NodeSnapshot, WatchSnapshot } from './model.ts';

/** Nodes of both snapshots, before and after. */
interface Pair {
  readonly was: NodeSnapshot;
  readonly is: NodeSnapshot;
}

/** The events that lead from `before` to `after`. */
export function eventsBetween(before: WatchSnapshot, after: WatchSnapshot): EventDraft[] {
  const old = new Map(before.nodes.map((node) => [node.id, node]));
  const now = new Map(after.nodes.map((node) => [node.id, node]));
  const pairs: Pair[] = [];
  for (const is of after.nodes) {
    const was = old.get(is.id);
    if (was !== undefined) pairs.push({ was, is });
  }
  return [
    ...pairs.flatMap((pair) => healthEvents(pair)),
    ...pairs.flatMap((pair) => electionEvents(pair)),
    ...epochEvents(before, after),
    ...pairs.flatMap((pair) => roleEvents(pair, now)),
    ...after.nodes
      .filter(({ id }) => !old.has(id))
      .map((node) => draft('joined', 'info', node, `${node.role} joined`)),
    ...before.nodes
      .filter(({ id }) => !now.has(id))
      .map((node) => draft('left', 'info', node, `${node.role} left`)),
    ...slotEvents(pairs, before, after),
    ...pairs.flatMap((pair) => openSlotEvents(pair, now)),
    ...pairs.flatMap((pair) => linkEvents(pair)),
    ...workEvents(before, after),
    ...stateEvents(before, after),
  ];
}

const HEALTH_EVENTS: Readonly<Record<Health, Pick<EventDraft, 'kind' | 'tone' | 'text'>>> = {
  ok: { kind: 'back', tone: 'good', text: 'is well again' },
  loading: { kind: 'restarted', tone: 'info', text: 'loads its data' },
  unreachable: { kind: 'unreachable', tone: 'warn', text: 'cannot be reached from here' },
  pfail: { kind: 'pfail', tone: 'warn', text: 'PFAIL: a node does not hear of it' },
  sdown: { kind: 'sdown', tone: 'warn', text: 'SDOWN: a Sentinel does not hear of it' },
  fail: { kind: 'fail', tone: 'bad', text: 'FAIL: the majority of masters does not hear of it' },
  odown: { kind: 'odown', tone: 'bad', text: 'ODOWN: a quorum of Sentinels does not hear of it' },
  unknown: { kind: 'unreachable', tone: 'info', text: 'was not asked yet' },
};

function healthEvents({ was, is }: Pair): EventDraft[] {
  const found: EventDraft[] = [];
  const isFirstLook = was.health === 'unknown' && is.health === 'ok';
  // SDOWN and ODOWN are told by the Sentinels themselves, word for word.
  const isTold = is.health === 'sdown' || is.health === 'odown' || is.health === 'unknown';
  if (was.health !== is.health && !isTold && !isFirstLook) {
    const { kind, tone, text } = HEALTH_EVENTS[is.health];
    found.push(draft(kind, tone, is, text));
  }
  const runId = was.stats?.runId ?? '';
  if (runId !== '' && is.stats !== undefined && is.stats.runId !== runId) {
    found.push(draft('restarted', 'info', is, 'was restarted'));
  }
  return found;
}

/** A node that was restarted counts from zero again. */
function electionEvents({ was, is }: Pair): EventDraft[] {
  const found: EventDraft[] = [];
  if (was.stats === undefined || is.stats === undefined) return found;
  if (was.stats.runId !== is.stats.runId) return found;
  if (is.stats.elections > was.stats.elections) {
    found.push(draft('election', 'info', is, 'asks the masters for their votes'));
  }
  if (is.stats.votes > was.stats.votes) {
    const votes = is.stats.votes - was.stats.votes;
    found.push(draft('vote', 'info', is, votes === 1 ? 'voted' : `voted ${votes} times`));
  }
  return found;
}

function epochEvents(before: WatchSnapshot, after: WatchSnapshot): EventDraft[] {
  const [was, is] = [before.currentEpoch ?? 0, after.currentEpoch ?? 0];
  if (is <= was || was === 0) return [];
  return [draft('epoch', 'info', undefined, `current epoch ${was} → ${is}`)];
}

function roleEvents({ was, is }: Pair, now: ReadonlyMap<string, NodeSnapshot>): EventDraft[] {
  const nameOf = (id: string | undefined): string => now.get(id ?? '')?.address ?? 'its master';
  if (was.role === 'replica' && is.role === 'master') {
    const epoch = is.configEpoch === undefined ? '' : `, configEpoch ${is.configEpoch}`;
    const text = `is master in place of ${nameOf(was.masterId)}${epoch}`;
    return [draft('promoted', 'good', is, text)];
  }
  if (is.role !== 'replica' || was.masterId === is.masterId) return [];
  const text = was.role === 'master' ? 'is a replica of' : 'now copies';
  return [draft('demoted', 'info', is, `${text} ${nameOf(is.masterId)}`)];
}

/** Slots that changed hands otherwise than as a whole by a failover, one event for each two masters. */
function slotEvents(
  pairs: readonly Pair[],
  before: WatchSnapshot,
  after: WatchSnapshot,
): EventDraft[] {
  // Arrays of unchanged snapshots are equal nearly always, and a cluster has thousands of slots.
  const isSame = pairs.every(({ was, is }) => equalRanges(was.slots, is.slots));
  if (isSame && before.nodes.length === after.nodes.length) return [];
  const promoted = new Set(
    pairs.filter(({ was, is }) => was.role !== is.role).map(({ is }) => is.id),
  );
  const owners = new Map<number, NodeSnapshot>();
  for (const node of before.nodes) for (const slot of slotsOf(node.slots)) owners.set(slot, node);
  const moved = new Map<string, { count: number; from: string; to: NodeSnapshot }>();
  for (const to of after.nodes) {
    if (promoted.has(to.id)) continue;
    for (const slot of slotsOf(to.slots)) {
      const from = owners.get(slot);
      if (from?.id === to.id || promoted.has(from?.id ?? '')) continue;
      const name = from?.address ?? 'nobody';
      const entry = moved.get(name + to.id) ?? { count: 0, from: name, to };
      entry.count++;
      moved.set(name + to.id, entry);
    }
  }
  return [...moved.values()].map(({ count, from, to }) =>
    draft('slots', 'info', to, `got ${count} ${plural('slot', count)} from ${from}`),
  );
}

function openSlotEvents({ was, is }: Pair, now: ReadonlyMap<string, NodeSnapshot>): EventDraft[] {
  // Both ends have the slot open: the one that gives it tells.
  const opened = is.open.filter(({ direction }) => direction === 'migrating');
  const known = new Set(was.open.map(({ slot, direction }) => `${direction}${slot}`));
  const fresh = opened.filter(({ slot, direction }) => !known.has(`${direction}${slot}`));
  const [first] = fresh;
  if (first === undefined) return [];
  const to = now.get(first.peerId)?.address ?? 'another master';
  const what = fresh.length === 1 ? `slot ${first.slot}` : `${fresh.length} slots`;
  return [draft('openSlots', 'info', is, `begins to move ${what} to ${to}`)];
}

function linkEvents({ was, is }: Pair): EventDraft[] {
  if (is.stats === undefined || was.stats === undefined || is.role === 'master') return [];
  if (was.stats.isLinkUp && !is.stats.isLinkUp) {
    return [draft('linkLost', 'warn', is, 'lost the link to its master')];
  }
  if (!was.stats.isLinkUp && is.stats.isLinkUp) {
    return [draft('linkUp', 'good', is, 'has the data of its master and follows it')];
  }
  return [];
}

function workEvents(before: WatchSnapshot, after: WatchSnapshot): EventDraft[] {
  const locks = (snapshot: WatchSnapshot): string[] =>
    snapshot.work.filter(({ kind }) => kind === 'lock').map(({ text }) => text);
  const [was, is] = [locks(before), locks(after)];
  return [
    ...is
      .filter((text) => !was.includes(text))
      .map((text) => draft('work', 'info', undefined, text)),
    ...was
      .filter((text) => !is.includes(text))
      .map((text) => draft('work', 'info', undefined, text.replace(' holds ', ' gave back '))),
  ];
}

const STATE_TEXTS: Readonly<Record<WatchSnapshot['state'], string>> = {
  ok: 'all is well',
  degraded: 'serving, but not all is well',
  fail: 'not serving all keys',
};

function stateEvents(before: WatchSnapshot, after: WatchSnapshot): EventDraft[] {
  if (before.state === after.state) return [];
  const tone = after.state === 'ok' ? 'good' : after.state === 'fail' ? 'bad' : 'warn';
  return [draft('state', tone, undefined, STATE_TEXTS[after.state])];
}

function draft(
  kind: EventDraft['kind'],
  tone: EventDraft['tone'],
  node: NodeSnapshot | undefined,
  text: string,
): EventDraft {
  return { kind, tone, node: node?.address, text };
}

function equalRanges(a: readonly SlotRange[], b: readonly SlotRange[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length || slotCount(a) !== slotCount(b)) return false;
  return a.every((range, index) => range[0] === b[index]?.[0] && range[1] === b[index]?.[1]);
}

function plural(word: string, count: number): string {
  return count === 1 ? word : `${word}s`;
}
