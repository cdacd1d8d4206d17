/** A single node in this process. */
import type { Argument } from '../client/index.ts';
import type { Reply } from '../resp/index.ts';
import { onFreePort } from './free-ports.ts';
import { type ConfigLines, LocalNode } from './local-node.ts';
import { PartitionableNetwork } from './partition.ts';
import { Timeline, type TimelineEvent } from './timeline.ts';

export interface ServerOptions {
  /** TCP port on 127.0.0.1, in [1, 65535]; default: one that is free. */
  readonly port?: number;
  /** More of redis.conf; default: nothing but what a server in memory needs. */
  readonly config?: ConfigLines;
}

/** A node with its data in memory, on 127.0.0.1. */
export class LocalServer implements AsyncDisposable {
  readonly #node: LocalNode;
  readonly #timeline: Timeline;

  /** Use `startServer`. */
  constructor(node: LocalNode, timeline: Timeline) {
    this.#node = node;
    this.#timeline = timeline;
  }

  get port(): number {
    return this.#node.port;
  }

  /** As clients take it: `redis://127.0.0.1:PORT`. */
  get url(): string {
    return this.#node.url;
  }

  get isRunning(): boolean {
    return this.#node.isRunning;
  }

  /** What happened so far, in order. */
  get timeline(): readonly TimelineEvent[] {
    return this.#timeline.events;
  }

  /**
   * One command, over a connection of its own; bulk strings come as bytes. Rejects with the server's ReplyError, or with
   * ClientError: `TIMEOUT` after 5 s, `CLOSED`.
   */
  call(...args: readonly Argument[]): Promise<Reply> {
    return this.#node.call(...args);
  }

  /** As kill -9: connections are cut, nothing is said, the data is gone. */
  kill(): Promise<void> {
    return this.#node.kill();
  }

  /** Starts it again on the same port, after `kill` or SHUTDOWN. */
  restart(): Promise<void> {
    return this.#node.start();
  }

  /** As SIGSTOP: it reads nothing and does nothing; connections stay open. */
  pause(): void {
    this.#node.pause();
  }

  /** As SIGCONT. */
  resume(): void {
    this.#node.resume();
  }

  /** Ends it; nothing of it is left. May be called again. */
  stop(): Promise<void> {
    return this.#node.kill();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/**
 * Starts a node in this process.
 * @throws LibraryError `START_FAILED` or `BAD_OPTION`
 */
export async function startServer(options: ServerOptions = {}): Promise<LocalServer> {
  const start = async (port: number): Promise<LocalServer> => {
    const timeline = new Timeline();
    const network = new PartitionableNetwork();
    const node = new LocalNode({ port, config: options.config ?? {}, timeline, network });
    await node.start();
    return new LocalServer(node, timeline);
  };
  return options.port === undefined ? onFreePort(start) : start(options.port);
}
