/** The figures that only Sentinels have. Pure. */
import { replyFacts, replyItems, replyText } from '../../client/index.ts';
import { type Reply, ReplyError } from '../../resp/index.ts';
import { fieldsOf, writer } from './node-figures.ts';
import type { Figure, Labels } from './sheet.ts';

/** Answers about one master. */
export interface MasterAnswers {
  readonly name: string;
  /** SENTINEL REPLICAS, SENTINEL SENTINELS and SENTINEL CKQUORUM. */
  readonly replicas: Reply;
  readonly sentinels: Reply;
  readonly quorum: Reply;
}

/** Names of the masters in `INFO sentinel`. */
export function masterNames(info: Reply): string[] {
  return [...replyFacts(info)]
    .filter(([field]) => /^master\d+$/.test(field))
    .map(([, text]) => fieldsOf(text).get('name') ?? '');
}

export function sentinelFigures(
  info: Reply,
  masters: readonly MasterAnswers[],
  labels: Labels,
): Figure[] {
  const put = writer(labels);
  const figures: Figure[] = [];
  for (const [field, text] of replyFacts(info)) {
    if (!/^master\d+$/.test(field)) continue;
    const facts = fieldsOf(text);
    const of = (name: string): number => Number(facts.get(name) ?? 0);
    const name = facts.get('name') ?? '';
    const master = { master_name: name, master_address: facts.get('address') ?? '' };
    const status = facts.get('status') ?? '';
    figures.push(
      put.gauge('sentinel_master_status', 'The master is up.', status === 'ok' ? 1 : 0, {
        ...master,
        master_status: status,
      }),
      put.gauge('sentinel_master_slaves', 'Replicas of the master.', of('slaves'), master),
      put.gauge('sentinel_master_sentinels', 'Sentinels that watch it.', of('sentinels'), master),
    );
    const answers = masters.find((each) => each.name === name);
    if (answers === undefined) continue;
    figures.push(
      put.gauge(
        'sentinel_master_ok_slaves',
        'Replicas of the master that are up.',
        upCount(answers.replicas),
        master,
      ),
      put.gauge(
        'sentinel_master_ok_sentinels',
        'Sentinels that watch it and are up, this one among them.',
        upCount(answers.sentinels) + 1,
        master,
      ),
      put.gauge(
        'sentinel_master_ckquorum_status',
        'The Sentinels can agree on a failover, as CKQUORUM has it.',
        answers.quorum instanceof ReplyError ? 0 : 1,
        { master_name: name, message: messageOf(answers.quorum) },
      ),
    );
  }
  return figures;
}

/** Instances of a list that nobody finds down. */
function upCount(list: Reply): number {
  return replyItems(list).filter((item) => {
    const words = replyItems(item).map((word) => replyText(word));
    const flags = words[words.indexOf('flags') + 1] ?? '';
    return !/down|disconnected/.test(flags);
  }).length;
}

function messageOf(reply: Reply): string {
  return reply instanceof ReplyError ? reply.message : replyText(reply);
}
