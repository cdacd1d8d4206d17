/** Several nodes in this process, and the faults that try them: what clusters and sets with Sentinels have in common. */
import type { Argument } from '../client/index.ts';
import type { Reply } from '../resp/index.ts';
import { LibraryError } from './errors.ts';
import type { LocalNode } from './local-node.ts';
import type { PartitionableNetwork } from './partition.ts';
import type { Timeline, TimelineEvent } from './timeline.ts';

export const WAIT_MS_DEFAULT = 15_000;

export interface WaitOptions {
  /** Default 15000. */
  readonly timeoutMs?: number;
}

/** One node of a group in this process. */
export class GroupNode {
  readonly #local: LocalNode;

  /** Made by what starts the group. */
  constructor(local: LocalNode) {
    this.#local = local;
  }

  get port(): number {
    return this.#local.port;
  }

  /** As clients take it: `redis://127.0.0.1:PORT`. */
  get url(): string {
    return this.#local.url;
  }

  get isRunning(): boolean {
    return this.#local.isRunning;
  }

  get isPaused(): boolean {
    return this.#local.isPaused;
  }

  /**
   * One command to this node, redirections not followed; bulk strings come as bytes. Rejects with the node's ReplyError, or
   * with ClientError: `TIMEOUT` after 5 s, `CLOSED`.
   */
  call(...args: readonly Argument[]): Promise<Reply> {
    return this.#local.call(...args);
  }
}

/** A node with data, which is master or replica. */
export class DataNode extends GroupNode {
  readonly #local: LocalNode;

  /** Made by what starts the group. */
  constructor(local: LocalNode) {
    super(local);
    this.#local = local;
  }

  /** What the node takes itself for, right now; undefined while it does not run. */
  role(): 'master' | 'replica' | undefined {
    return this.#local.role();
  }
}

/** Nodes on 127.0.0.1 with their data in memory, and the network between them. */
export class LocalGroup<N extends GroupNode> implements AsyncDisposable {
  readonly #locals: ReadonlyMap<N, LocalNode>;
  readonly #network: PartitionableNetwork;
  readonly #timeline: Timeline;

  /** Made by what starts the group. */
  constructor(
    locals: ReadonlyMap<N, LocalNode>,
    network: PartitionableNetwork,
    timeline: Timeline,
  ) {
    this.#locals = locals;
    this.#network = network;
    this.#timeline = timeline;
  }

  /** What happened so far, in order, seen by every node for itself; the last 10000 events. */
  get timeline(): readonly TimelineEvent[] {
    return this.#timeline.events;
  }

  /** As kill -9: connections are cut, nothing is said, the data is gone; what it saved of its state stays on its disk. */
  kill(node: N): Promise<void> {
    return this.local(node).kill();
  }

  /** Starts a node again that was killed or has shut down: on the same port, without data. */
  restart(node: N): Promise<void> {
    return this.local(node).start();
  }

  /** As SIGSTOP: the node reads nothing and does nothing; connections stay open. */
  pause(node: N): void {
    this.local(node).pause();
  }

  /** As SIGCONT: goes on with what waited. */
  resume(node: N): void {
    this.local(node).resume();
  }

  /**
   * No bytes pass between nodes of different groups any more; their connections hang. A node in no group reaches
   * everybody, and clients reach every node. Replaces an earlier partition.
   */
  partition(groups: readonly (readonly N[])[]): void {
    const ports = groups.map((group) => group.map((node) => this.local(node).port));
    this.#timeline.add('partitioned', undefined, ports.map((group) => group.join(' ')).join(' | '));
    this.#network.part(ports);
  }

  /** Ends the partition; what waited arrives. */
  heal(): void {
    this.#timeline.add('healed', undefined, 'healed');
    this.#network.heal();
  }

  /** Ends every node; nothing of the group is left. May be called again. */
  async stop(): Promise<void> {
    await Promise.all([...this.#locals.values()].map((local) => local.kill()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** @internal */
  protected local(node: N): LocalNode {
    const found = this.#locals.get(node);
    if (found !== undefined) return found;
    throw new LibraryError('BAD_OPTION', `Cannot find node ${node.port}: not of this group`);
  }
}
