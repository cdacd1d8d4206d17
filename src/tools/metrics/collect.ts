/** Asks a node, or a Sentinel, for its figures, and whether it is ready for clients. */
import { replyFacts, serverMode } from '../../client/index.ts';
import { type Reply, ReplyError } from '../../resp/index.ts';
import { nodeFigures } from './node-figures.ts';
import { type MasterAnswers, masterNames, sentinelFigures } from './sentinel-figures.ts';
import type { Figure, Labels } from './sheet.ts';

/** Sends commands to one node and answers their replies in order, error replies as values. */
export type Ask = (commands: readonly (readonly string[])[]) => Promise<readonly Reply[]>;

/** Every figure of the node behind `ask`; rejects as `ask` does. */
export async function collectFigures(ask: Ask, labels: Labels = {}): Promise<Figure[]> {
  const [info = null] = await ask([['INFO', 'ALL']]);
  if (info instanceof ReplyError) throw info;
  const facts = replyFacts(info);
  const mode = serverMode(facts);
  if (mode === 'sentinel') {
    const masters = await askOfMasters(ask, masterNames(info));
    const nothing = { cluster: null, slowlogLength: null, slowlogLast: null };
    return [
      ...nodeFigures({ info, ...nothing }, labels, Date.now()),
      ...sentinelFigures(info, masters, labels),
    ];
  }
  const commands = [
    ['SLOWLOG', 'LEN'],
    ['SLOWLOG', 'GET', '1'],
  ];
  if (mode === 'cluster') commands.push(['CLUSTER', 'INFO']);
  const replies = await ask(commands);
  const [slowlogLength, slowlogLast, cluster] = replies.map((reply) => withoutError(reply));
  return nodeFigures(
    {
      info,
      cluster: cluster ?? null,
      slowlogLength: slowlogLength ?? null,
      slowlogLast: slowlogLast ?? null,
    },
    labels,
    Date.now(),
  );
}

/** Why clients should not be sent to the node yet; undefined when they may. Rejects as `ask` does. */
export async function whyNotReady(ask: Ask): Promise<string | undefined> {
  const [info = null, cluster = null] = await ask([['INFO'], ['CLUSTER', 'INFO']]);
  if (info instanceof ReplyError) return info.message;
  const facts = replyFacts(info);
  if (facts.get('loading') === '1') return 'it loads its data';
  if (facts.get('sentinel_tilt') === '1') return 'it is in TILT mode';
  if (facts.get('role') === 'slave' && facts.get('master_link_status') !== 'up') {
    return facts.get('master_sync_in_progress') === '1'
      ? 'it copies the data of its master'
      : 'it has no link to its master';
  }
  const state = replyFacts(cluster).get('cluster_state');
  return state === undefined || state === 'ok' ? undefined : `the cluster's state is ${state}`;
}

async function askOfMasters(ask: Ask, names: readonly string[]): Promise<MasterAnswers[]> {
  const replies = await ask(
    names.flatMap((name) => [
      ['SENTINEL', 'REPLICAS', name],
      ['SENTINEL', 'SENTINELS', name],
      ['SENTINEL', 'CKQUORUM', name],
    ]),
  );
  return names.map((name, index) => ({
    name,
    replicas: replies[3 * index] ?? null,
    sentinels: replies[3 * index + 1] ?? null,
    quorum: replies[3 * index + 2] ?? null,
  }));
}

function withoutError(reply: Reply): Reply {
  return reply instanceof ReplyError ? null : reply;
}
