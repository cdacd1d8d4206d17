/** The figures of a whole deployment, as its watcher sees it: every node's own, with its address as a label, and ours. */
import { ClientError } from '../../client/index.ts';
import { ReplyError } from '../../resp/index.ts';
import type { WatchSnapshot, Watched } from '../watch/index.ts';
import { collectFigures } from './collect.ts';
import { downFigures } from './node-figures.ts';
import type { Figure } from './sheet.ts';

/** Asks every node at once; one that does not answer is `redis_up 0`. */
export async function deploymentFigures(watcher: Watched): Promise<Figure[]> {
  const addresses = watcher.addresses();
  const asked = await Promise.all(
    addresses.map(async (addr) => {
      try {
        return await collectFigures((commands) => watcher.ask(addr, commands), { addr });
      } catch (error) {
        if (!(error instanceof ClientError) && !(error instanceof ReplyError)) throw error;
        return downFigures({ addr });
      }
    }),
  );
  return [...asked.flat(), ...ownFigures(watcher.snapshot)];
}

/** What a single node cannot know. */
function ownFigures({ state, nodes, slotsAssigned, work }: WatchSnapshot): Figure[] {
  const gauge = (
    name: string,
    help: string,
    value: number,
    labels: Readonly<Record<string, string>> = {},
  ): Figure => ({ kind: 'gauge', name: `slotline_${name}`, help, labels, value });
  return [
    gauge('deployment_ok', 'All is well with the deployment.', state === 'ok' ? 1 : 0),
    gauge('deployment_serving', 'The deployment serves its keys.', state === 'fail' ? 0 : 1),
    gauge('operations_running', 'Operations and open slots under way.', work.length),
    ...(slotsAssigned === undefined
      ? []
      : [gauge('slots_assigned', 'Slots that have an owner.', slotsAssigned)]),
    ...nodes.map(({ address, role, health }) =>
      gauge(
        'node_ok',
        'The node is well, as the others and the watcher see it.',
        Number(health === 'ok'),
        {
          addr: address,
          role,
        },
      ),
    ),
    ...nodes.flatMap(({ address, stats }) =>
      stats === undefined
        ? []
        : [
            gauge('node_latency_seconds', 'Round trip of a PING.', stats.latencyMs / 1000, {
              addr: address,
            }),
          ],
    ),
    ...nodes.flatMap(({ address, stats }) =>
      stats?.lagBytes === undefined
        ? []
        : [
            gauge(
              'replica_lag_bytes',
              "Bytes of its master's stream that a replica lacks.",
              stats.lagBytes,
              {
                addr: address,
              },
            ),
          ],
    ),
  ];
}
