/** The operator's seat: asks nodes for what they know and gives them commands, over connections like any other. */
import { invariant } from '../src/base/index.ts';
import { parseNodesConf } from '../src/config/index.ts';
import type { Reply } from '../src/resp/index.ts';
import { type ClientHost, RespConnection, replyText } from './client.ts';
import type { Machine } from './machine.ts';
import type { Network } from './network.ts';
import type { World } from './world.ts';

/** Longest wait for an answer. */
const ANSWER_MS = 3000;

/** A node's own view of the cluster. */
export interface View {
  readonly machine: Machine;
  readonly state: 'ok' | 'fail';
  readonly role: 'master' | 'replica';
  /** Address of the master that it follows. */
  readonly masterIp: string | undefined;
  readonly configEpoch: number;
  /** Every owner with its slots, in a form that two nodes that agree have in common. */
  readonly slotMap: string;
  readonly isCovered: boolean;
  /** A replica that is in step with its master; true of masters. */
  readonly isSynced: boolean;
}

export class Operator {
  readonly #world: World;
  readonly #network: Network;
  readonly #host: ClientHost;
  readonly #connections = new Map<Machine, RespConnection>();

  constructor(world: World, network: Network, host: ClientHost) {
    this.#world = world;
    this.#network = network;
    this.#host = host;
  }

  /** Sends without waiting; `answered` gets undefined when no answer came. */
  send(
    machine: Machine,
    args: readonly string[],
    answered: (reply: Reply | undefined) => void,
  ): void {
    const connection = this.#connection(machine);
    connection.request(args, (answer) =>
      answered(answer.kind === 'reply' ? answer.reply : undefined),
    );
  }

  /** Lets time pass until every request is answered or out of time; answers in the order of the requests. */
  ask(
    requests: readonly { readonly machine: Machine; readonly args: readonly string[] }[],
  ): readonly (Reply | undefined)[] {
    const replies: (Reply | undefined)[] = requests.map(() => undefined);
    let left = requests.length;
    for (const [index, { machine, args }] of requests.entries()) {
      this.send(machine, args, (reply) => {
        replies[index] = Buffer.isBuffer(reply) ? Buffer.from(reply) : reply;
        left--;
      });
    }
    const isDone = this.#world.runUntil(() => left === 0, ANSWER_MS);
    if (!isDone) for (const { machine } of requests) this.#hangUp(machine);
    return replies;
  }

  /** Views of the machines that answer. */
  views(machines: readonly Machine[]): View[] {
    const running = machines.filter((machine) => machine.isRunning);
    const replies = this.ask(
      running.flatMap((machine) => [
        { machine, args: ['CLUSTER', 'NODES'] },
        { machine, args: ['CLUSTER', 'INFO'] },
        { machine, args: ['ROLE'] },
      ]),
    );
    const views: View[] = [];
    for (const [index, machine] of running.entries()) {
      const [nodes, info, role] = replies.slice(index * 3, index * 3 + 3);
      if (!Buffer.isBuffer(nodes) || !Buffer.isBuffer(info) || !Array.isArray(role)) continue;
      views.push(readView(machine, nodes.toString('latin1'), info.toString('latin1'), role));
    }
    return views;
  }

  #connection(machine: Machine): RespConnection {
    let connection = this.#connections.get(machine);
    if (connection === undefined || connection.isClosed) {
      connection = new RespConnection(this.#network, this.#host, machine);
      // So that a replica answers GET itself.
      connection.request(['READONLY'], () => undefined);
      this.#connections.set(machine, connection);
    }
    return connection;
  }

  #hangUp(machine: Machine): void {
    this.#connections.get(machine)?.close();
    this.#connections.delete(machine);
  }
}

function readView(machine: Machine, nodes: string, info: string, role: readonly Reply[]): View {
  const parsed = parseNodesConf(nodes);
  invariant(parsed.kind === 'loaded', 'CLUSTER NODES has the form of nodes.conf');
  const { conf } = parsed;
  const myself = conf.nodes.find((node) => node.flags.includes('myself'));
  invariant(myself !== undefined, 'a node knows itself');
  const owners = conf.nodes.filter((node) => node.slots.length > 0);
  const covered = owners
    .flatMap((node) => node.slots)
    .reduce((sum, [from, to]) => sum + to - from + 1, 0);
  const isMaster = myself.flags.includes('master');
  return {
    machine,
    state: info.includes('cluster_state:ok') ? 'ok' : 'fail',
    role: isMaster ? 'master' : 'replica',
    masterIp: conf.nodes.find((node) => node.id === myself.masterId)?.host,
    configEpoch: myself.configEpoch,
    slotMap: owners
      .map((node) => `${node.id} ${node.configEpoch} ${JSON.stringify(node.slots)}`)
      .sort()
      .join('\n'),
    isCovered: covered === 16384,
    isSynced: isMaster || replyText(role[3]) === 'connected',
  };
}
