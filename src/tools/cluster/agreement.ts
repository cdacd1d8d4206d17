/** Waiting until all nodes that answer show the same owners and serve. */
import { replyFacts, replyText } from '../../client/index.ts';
import { callAll, waitUntil } from './connect.ts';
import { ownersText } from './findings.ts';
import type { ClusterReport } from './inspect.ts';
import { parseClusterNodes } from './topology.ts';

/** Throws ToolError `NOT_IN_TIME` that names two who differ. */
export function waitForAgreement(report: ClusterReport, timeoutMs: number): Promise<void> {
  let difference = '';
  return waitUntil(
    async () => {
      const views = await Promise.all(report.nodes.map((node) => ownersOf(node)));
      const known = views.filter((view) => view !== undefined);
      const wanted = known[0]?.owners;
      const other = known.find(({ owners }) => owners !== wanted);
      const idle = known.find(({ isStateOk }) => !isStateOk);
      difference =
        other === undefined
          ? `${idle?.name ?? ''} is not in state ok`
          : `${other.name} and ${known[0]?.name ?? ''} do not agree who owns which slots`;
      return other === undefined && idle === undefined;
    },
    timeoutMs,
    () => `After ${timeoutMs} ms ${difference}: see "slotline cluster check"`,
  );
}

async function ownersOf({
  name,
  own,
}: ClusterReport['nodes'][number]): Promise<
  { name: string; owners: string; isStateOk: boolean } | undefined
> {
  if (own === undefined) return undefined;
  const [nodes, info] = await callAll(own.client, [
    ['CLUSTER', 'NODES'],
    ['CLUSTER', 'INFO'],
  ]);
  return {
    name,
    owners: ownersText(parseClusterNodes(replyText(nodes))),
    isStateOk: replyFacts(info).get('cluster_state') === 'ok',
  };
}
