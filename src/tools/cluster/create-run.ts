/**
 * Carries out a create plan on connected nodes: slots, epochs, MEET, REPLICATE, and waiting, with a bound, for each
 * thing that the nodes have to agree about.
 */
import { invariant } from '../../base/index.ts';
import { type NodeAddress, RespClient, replyFacts, replyText } from '../../client/index.ts';
import { ReplyError } from '../../resp/index.ts';
import { ToolError, asToolError } from '../errors.ts';
import type { Screen } from '../screen.ts';
import { changeSlots } from './claim-slots.ts';
import { callNode, connectNode, isListening, resolveIp, waitUntil } from './connect.ts';
import { type CreatePlan, type NodeFacts, countsRefusal, planCreate } from './create-plan.ts';
import { slotCount } from './slot-ranges.ts';
import { parseClusterNodes } from './topology.ts';

export interface CreateOptions {
  readonly nodes: readonly NodeAddress[];
  /** Replicas of each master; default 0. */
  readonly replicas: number;
  /** Bound for the join, and for the replicas' first copy each, milliseconds. */
  readonly timeoutMs: number;
}

/** Nodes that were asked and stay connected until the cluster is made or the plan is dropped. */
export interface CreateSession {
  readonly plan: CreatePlan;
  readonly clients: ReadonlyMap<NodeFacts, RespClient>;
}

export const CREATE_TIMEOUT_MS = 30_000;
/** Up to so many nodes everyone meets everyone, which is quickest; above, gossip spreads the word. */
const FULL_MESH_NODES_MAX = 40;
const BUS_PROBE_MS = 1000;
/**
 * Who is a stranger for this long is greeted again, some at a time. A handshake runs out after a second or the node
 * time-out, and if one side stood still meanwhile that leaves two nodes of which only one knows the other.
 */
const GREET_AGAIN_MS = 3000;
const GREETED_AGAIN_MAX = 10;

/** Connects to every node and plans. Throws ToolError `USAGE`, `NODES_REFUSED` or `NODE_FAILED`. */
export async function prepareCreate(options: CreateOptions): Promise<CreateSession> {
  const counts = countsRefusal(options.nodes.length, options.replicas);
  if (counts !== undefined) throw new ToolError('USAGE', `Cannot create a cluster: ${counts}`);
  const connectedNodes: [NodeFacts, RespClient][] = [];
  const connected = await Promise.allSettled(options.nodes.map((node) => connectNode(node)));
  const open = connected.filter((each) => each.status === 'fulfilled').map(({ value }) => value);
  try {
    const failed = connected.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    await Promise.all(
      options.nodes.map(async (address, index) => {
        const client = open[index];
        invariant(client !== undefined, 'every address is connected');
        connectedNodes[index] = [await readFacts(client, address), client];
      }),
    );
    const clients = new Map(connectedNodes);
    const decision = planCreate([...clients.keys()], options.replicas);
    if (decision.kind === 'plan') return { plan: decision.plan, clients };
    const code = decision.because === 'usage' ? 'USAGE' : 'NODES_REFUSED';
    throw new ToolError(code, `Cannot create a cluster: ${decision.reason}`);
  } catch (error) {
    for (const client of open) client.close();
    throw error;
  }
}

/** What a node says of itself; `address` is how the user named it. */
export async function readFacts(client: RespClient, address: NodeAddress): Promise<NodeFacts> {
  const base = { name: client.name, ip: await resolveIp(address.host), port: address.port };
  const [nodes, info, size] = await readAll(client);
  if (nodes instanceof ReplyError) {
    if (!/cluster support disabled/i.test(nodes.message)) throw asToolError(nodes, client.name);
    return {
      ...base,
      busPort: 0,
      id: client.name,
      isClusterEnabled: false,
      knownNodes: 1,
      slotsOwned: 0,
      keys: 0,
    };
  }
  const known = parseClusterNodes(replyText(nodes));
  const myself = known.find((node) => node.isMyself);
  if (myself === undefined) {
    throw new ToolError('NODE_FAILED', `Node ${client.name} does not name itself in CLUSTER NODES`);
  }
  return {
    ...base,
    busPort: myself.busPort,
    id: myself.id,
    isClusterEnabled: true,
    knownNodes: Number(replyFacts(info).get('cluster_known_nodes') ?? known.length),
    slotsOwned: slotCount(myself.slots),
    keys: typeof size === 'number' ? size : 0,
  };
}

/**
 * Makes the cluster. Progress goes to `screen`. Throws ToolError that says what did not work and why; when the nodes did
 * not even join, they are reset to what they were, so that the same command can be given again.
 */
export async function carryOutCreate(
  session: CreateSession,
  timeoutMs: number,
  screen: Screen,
): Promise<void> {
  try {
    await joinNodes(session, timeoutMs, screen);
  } catch (error) {
    screen.note('The nodes did not join: resetting them');
    await Promise.allSettled(
      [...session.clients.values()].map((client) => client.call('CLUSTER', 'RESET', 'SOFT')),
    );
    throw error;
  }
  await attachReplicas(session, timeoutMs, screen);
}

async function joinNodes(
  { plan, clients }: CreateSession,
  timeoutMs: number,
  screen: Screen,
): Promise<void> {
  const nodes = [...clients.keys()];
  screen.note('Assigning slots and epochs');
  await Promise.all(
    plan.masters.map(({ node, slots }) =>
      changeSlots(clientOf(clients, node), 'ADDSLOTS', [slots]),
    ),
  );
  // Different epochs from the start, so that no two masters have to settle a collision.
  await Promise.all(nodes.map((node, index) => setEpoch(clientOf(clients, node), index + 1)));
  screen.note('Introducing the nodes to each other');
  await Promise.all(nodes.map((node, index) => meet(clientOf(clients, node), index, nodes)));
  await Promise.all(
    nodes.map((node) => waitForJoin({ client: clientOf(clients, node), nodes, timeoutMs })),
  );
}

async function attachReplicas(
  { plan, clients }: CreateSession,
  timeoutMs: number,
  screen: Screen,
): Promise<void> {
  if (plan.replicas.length > 0) screen.note('Attaching the replicas');
  await Promise.all(
    plan.replicas.map(({ node, master }) =>
      callNode(clientOf(clients, node), 'CLUSTER', 'REPLICATE', master.id),
    ),
  );
  screen.note('Waiting until every node is in state ok and every replica has its copy');
  await Promise.all([...clients.values()].map((client) => waitForState(client, timeoutMs)));
  await Promise.all(
    plan.replicas.map(({ node }) => waitForCopy(clientOf(clients, node), timeoutMs)),
  );
}

function clientOf(clients: CreateSession['clients'], node: NodeFacts): RespClient {
  const client = clients.get(node);
  invariant(client !== undefined, 'every planned node is connected');
  return client;
}

export function closeAll(clients: Iterable<RespClient>): void {
  for (const client of clients) client.close();
}

/** A bound for `cluster_state:ok` on one node. */
export function waitForState(client: RespClient, timeoutMs: number): Promise<void> {
  return waitUntil(
    async () => {
      const info = replyFacts(await callNode(client, 'CLUSTER', 'INFO'));
      return info.get('cluster_state') === 'ok';
    },
    timeoutMs,
    () =>
      `Node ${client.name} is not in state ok after ${timeoutMs} ms: see "slotline cluster check ${client.name}"`,
  );
}

/** A bound for the first full copy of a replica. */
export function waitForCopy(client: RespClient, timeoutMs: number): Promise<void> {
  return waitUntil(
    async () => {
      const info = replyFacts(await callNode(client, 'INFO', 'replication'));
      return info.get('master_link_status') === 'up';
    },
    timeoutMs,
    () =>
      `Replica ${client.name} has no copy of its master after ${timeoutMs} ms: look at its log, masterauth and the master's client port`,
  );
}

async function readAll(client: RespClient): Promise<Awaited<ReturnType<RespClient['pipeline']>>> {
  try {
    return await client.pipeline([['CLUSTER', 'NODES'], ['CLUSTER', 'INFO'], ['DBSIZE']]);
  } catch (error) {
    throw asToolError(error, client.name);
  }
}

/** A node that had an epoch before keeps it: what counts is that they differ, and collisions settle by themselves. */
async function setEpoch(client: RespClient, epoch: number): Promise<void> {
  try {
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', epoch);
  } catch (error) {
    const hasOne = error instanceof ReplyError && /already non-zero/i.test(error.message);
    if (!hasOne) throw asToolError(error, client.name);
  }
}

/** Node `index` introduces itself to those behind it: every pair once. */
async function meet(client: RespClient, index: number, nodes: readonly NodeFacts[]): Promise<void> {
  if (index > 0 && nodes.length > FULL_MESH_NODES_MAX) return;
  await greet(client, nodes.slice(index + 1));
}

/** Introduces a node to others. */
export async function greet(client: RespClient, others: readonly JoinedNode[]): Promise<void> {
  for (const { ip, port, busPort } of others) {
    await callNode(client, 'CLUSTER', 'MEET', ip, port, busPort);
  }
}

interface JoinedNode {
  readonly id: string;
  readonly ip: string;
  readonly port: number;
  readonly busPort: number;
}

export interface JoinWait {
  readonly client: RespClient;
  /** Everyone it has to know. */
  readonly nodes: readonly JoinedNode[];
  readonly timeoutMs: number;
}

/** Waits until a node knows all the others, out of handshake and with a link to each. */
export function waitForJoin({ client, nodes, timeoutMs }: JoinWait): Promise<void> {
  let missing: JoinWait['nodes'] = nodes;
  let greetedAt = performance.now();
  return waitUntil(
    async () => {
      const view = parseClusterNodes(replyText(await callNode(client, 'CLUSTER', 'NODES')));
      const known = new Set(
        view
          .filter(
            (node) => node.isMyself || (node.isConnected && !node.flags.includes('handshake')),
          )
          .map(({ id }) => id),
      );
      missing = nodes.filter(({ id }) => !known.has(id));
      if (performance.now() - greetedAt > GREET_AGAIN_MS) {
        await greet(client, missing.slice(0, GREETED_AGAIN_MAX));
        greetedAt = performance.now();
      }
      return missing.length === 0;
    },
    timeoutMs,
    () => joinFailure(client.name, missing, timeoutMs),
  );
}

async function joinFailure(
  name: string,
  missing: JoinWait['nodes'],
  timeoutMs: number,
): Promise<string> {
  for (const { ip, busPort } of missing) {
    if (await isListening({ host: ip, port: busPort }, BUS_PROBE_MS)) continue;
    return `Node ${name} did not join: bus port ${busPort} of ${ip} cannot be reached, open it between the nodes (client port + 10000 by default)`;
  }
  const names = missing.map(({ ip, busPort }) => `${ip}:${busPort}`).join(', ');
  return `Node ${name} did not join within ${timeoutMs} ms: it has no bus link to ${names}, which can be reached from here; look for a firewall between the nodes, or raise --timeout`;
}
