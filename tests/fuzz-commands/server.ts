/** One server under comparison: its process, a pipelined connection, and one that listens to keyspace events. */
import { NodeProcess } from '../interop/harness/node-process.ts';
import { ConnectionLost, Pipeline } from './connection.ts';
import type { Step } from './program.ts';
import { content, leaves } from './wire.ts';

/** Strings cannot grow beyond: so that the checks of size are met, and memory stays small. */
const STRING_MAX = '1mb';

export interface ServerOptions {
  readonly title: string;
  readonly exe: string;
  readonly port: number;
  readonly dir: string;
  /** Port of its master, for a replica. */
  readonly masterPort?: number;
}

/** The server ended or hangs. */
export class ServerLost extends Error {
  override readonly name: string = 'ServerLost';
  readonly server: Server;

  constructor(server: Server, reason: string) {
    super(`${server.title}: ${reason}`);
    this.server = server;
  }
}

export class Server {
  readonly title: string;
  readonly process: NodeProcess;
  #pipeline: Pipeline | undefined;
  #events: Pipeline | undefined;

  constructor({ title, exe, port, dir, masterPort }: ServerOptions) {
    this.title = title;
    const config = [
      `proto-max-bulk-len ${STRING_MAX}`,
      'enable-debug-command local',
      'repl-diskless-sync-delay 0',
      ...(masterPort === undefined ? [] : [`replicaof 127.0.0.1 ${masterPort}`]),
    ];
    this.process = new NodeProcess({ exe, port, dir, config });
  }

  async start(): Promise<void> {
    if (!this.process.isRunning) await this.process.start();
    this.#pipeline = await Pipeline.open(this.process.port);
    this.#events = await Pipeline.open(this.process.port);
    await this.run([
      // What is past when it is set stays until somebody looks, on both servers alike.
      stepOf('DEBUG', 'SET-ACTIVE-EXPIRE', '0'),
    ]);
    await this.#events.run([stepOf('PSUBSCRIBE', '__key*__:*')]);
  }

  async run(batch: readonly Step[]): Promise<readonly Buffer[]> {
    return this.#guarded(this.#pipeline, (pipeline) => pipeline.run(batch));
  }

  /** `channel message` of the events up to the one with `mark`, which is left out. */
  async events(mark: string): Promise<string[]> {
    const found = await this.#guarded(this.#events, (pipeline) => pipeline.takeUntil(mark));
    return found.slice(0, -1).map((reply) =>
      leaves(reply)
        .slice(2)
        .map((leaf) => content(Buffer.from(leaf, 'latin1')).toString('latin1'))
        .join(' '),
    );
  }

  /** New connections, and a new process when the old one has ended or hangs. */
  async recover(isHanging: boolean): Promise<void> {
    this.disconnect();
    if (isHanging && this.process.isRunning) await this.process.kill();
    await this.start();
  }

  async stop(): Promise<void> {
    this.disconnect();
    await this.process.kill();
  }

  disconnect(): void {
    this.#pipeline?.close();
    this.#events?.close();
  }

  async #guarded<T>(
    pipeline: Pipeline | undefined,
    use: (pipeline: Pipeline) => Promise<T>,
  ): Promise<T> {
    if (pipeline === undefined) throw new ServerLost(this, 'it was not started');
    try {
      return await use(pipeline);
    } catch (error) {
      if (error instanceof ConnectionLost) throw new ServerLost(this, error.message);
      throw error;
    }
  }
}

/** A command out of words. */
export function stepOf(...words: readonly (string | Buffer)[]): Step {
  return words.map((word) => (typeof word === 'string' ? Buffer.from(word, 'latin1') : word));
}
