/**
 * One of the two servers with its clients. After each step it waits until the server is settled: it has read all that
 * was sent, no client is being closed, and a whole round trip of the control connection brought nothing new to anybody.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Pipeline } from '../fuzz-commands/connection.ts';
import { stepOf } from '../fuzz-commands/server.ts';
import { NodeProcess } from '../interop/harness/node-process.ts';
import { Connection } from './connection.ts';
import { Control, type ListedClient, type View } from './control.ts';
import { normalForm } from './normal-form.ts';
import { CLIENT_COUNT, type ClientStep, namedClient } from './program.ts';

const SETTLE_MS_MAX = 5000;
/** So many connections come and go at the start, so that no other number is taken for the id of a client. */
const IDS_SKIPPED = 1100;
const IDS_AT_ONCE = 50;

/** What one step did to the clients of one server. */
export interface Outcome {
  /** What each client received, in normal form. */
  readonly received: readonly string[];
  /** What the server says of each client. */
  readonly states: readonly string[];
  readonly blockedCount: number;
  readonly digest: string;
}

/** The server did not come to rest. */
export class Unsettled extends Error {
  override readonly name: string = 'Unsettled';
}

interface Client {
  readonly connection: Connection;
  readonly id: string;
  readonly isBlocked: boolean;
  readonly state: string;
}

export class Side {
  readonly title: string;
  readonly #process: NodeProcess;
  #control: Control | undefined;
  #clients: Client[] = [];
  /** All clients of this program by their ids, also those that were closed. */
  #names = new Map<string, string>();
  /** All that the server should have read. */
  #clientBytes = 0;
  #bytesBefore = 0;

  constructor(options: {
    readonly title: string;
    readonly exe: string;
    readonly port: number;
    readonly dir: string;
  }) {
    const { title, ...rest } = options;
    this.title = title;
    this.#process = new NodeProcess({ ...rest, config: ['enable-debug-command local'] });
  }

  async start(): Promise<void> {
    await this.#process.start();
    this.#process.disconnect();
    await this.#skipIds();
    this.#control = await Control.open(this.#process.port);
    this.#clientBytes = 0;
    const sentBefore = this.#control.sentBytes;
    const { inputBytes } = await this.#control.look();
    this.#bytesBefore = inputBytes - (this.#control.sentBytes - sentBefore);
  }

  /** A new process in place of one that ended or hangs. */
  async recover(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async stop(): Promise<void> {
    for (const { connection } of this.#clients) connection.close();
    this.#clients = [];
    this.#control?.close();
    await this.#process.kill();
  }

  /** An empty server with new clients. */
  async begin(): Promise<void> {
    for (const { connection } of this.#clients) connection.close();
    this.#clients = [];
    await this.#until(({ clients }) => clients.length === 1);
    this.#names = new Map();
    await this.#controls.run(
      stepOf('FLUSHALL'),
      stepOf('CONFIG', 'SET', 'notify-keyspace-events', ''),
    );
    for (let i = 0; i < CLIENT_COUNT; i++) this.#clients[i] = await this.#open(i);
  }

  isBlocked(client: number): boolean {
    return this.#clients[client]?.isBlocked === true;
  }

  isOpen(client: number): boolean {
    return this.#clients[client]?.connection.isOpen === true;
  }

  send({ client, step }: ClientStep): void {
    const own = step.map((arg) => {
      const named = namedClient(arg);
      return named === undefined ? arg : Buffer.from(this.#clients[named]?.id ?? '');
    });
    this.#clientBytes += this.#clients[client]?.connection.send(own) ?? 0;
  }

  /** What came since the last `forget`, once the server is settled. Throws `Unsettled`. */
  async settle(): Promise<Outcome> {
    let bytes = -1;
    const view = await this.#until(({ inputBytes, clients }) => {
      const before = bytes;
      const isRead =
        inputBytes === this.#bytesBefore + this.#clientBytes + this.#controls.sentBytes;
      const listed = new Set(clients.map(({ id }) => id));
      const isAgreed = this.#clients.every(
        (each) => each.connection.isOpen === listed.has(each.id),
      );
      const received = this.#clients.map(({ connection }) => connection.receivedBytes);
      bytes = isRead && isAgreed ? received.reduce((sum, each) => sum + each, 0) : -1;
      return bytes >= 0 && bytes === before;
    });
    this.#clients = this.#clients.map((each) => ({ ...each, ...closedOr(each.id, view.clients) }));
    return this.#outcome(view);
  }

  forget(): void {
    for (const { connection } of this.#clients) connection.forget();
  }

  /** A new client in the place of each that was closed. */
  async reopen(): Promise<void> {
    for (const [i, { connection, id }] of this.#clients.entries()) {
      if (connection.isOpen) continue;
      this.#names.set(id, `@${i}-before`);
      this.#clients[i] = await this.#open(i);
    }
  }

  #outcome(view: View): Outcome {
    return {
      received: this.#clients.map(({ connection }) => {
        const text = normalForm(connection.received, this.#names);
        return connection.isOpen ? text : `${text}(closed)`;
      }),
      states: this.#clients.map(({ state }) => {
        return state.replace(/(?<=redir=)\d+/, (id) => this.#names.get(id) ?? id);
      }),
      blockedCount: view.blockedCount,
      digest: view.digest,
    };
  }

  async #open(index: number): Promise<Client> {
    const connection = await Connection.open(this.#process.port);
    const isIt = ({ port }: ListedClient): boolean => port === connection.port;
    const { clients } = await this.#until((view) => view.clients.some(isIt));
    const { id = '', isBlocked = false, state = '' } = clients.find(isIt) ?? {};
    this.#names.set(id, `@${index}`);
    return { connection, id, isBlocked, state };
  }

  async #until(isFulfilled: (view: View) => boolean): Promise<View> {
    const deadline = performance.now() + SETTLE_MS_MAX;
    for (;;) {
      const view = await this.#controls.look();
      // What arrived together with the reply is read by then.
      await nextTurn();
      if (isFulfilled(view)) return view;
      if (performance.now() > deadline) {
        throw new Unsettled(`it is not settled after ${SETTLE_MS_MAX} ms`);
      }
    }
  }

  get #controls(): Control {
    if (this.#control === undefined) throw new Unsettled('it was not started');
    return this.#control;
  }

  async #skipIds(): Promise<void> {
    for (let count = 0; count < IDS_SKIPPED; count += IDS_AT_ONCE) {
      const opened = Array.from({ length: IDS_AT_ONCE }, () => Pipeline.open(this.#process.port));
      for (const pipeline of await Promise.all(opened)) {
        await pipeline.run([stepOf('PING')]);
        pipeline.close();
      }
    }
  }
}

const CLOSED: Pick<Client, 'isBlocked' | 'state'> = { isBlocked: false, state: 'closed' };

function closedOr(
  id: string,
  clients: readonly ListedClient[],
): Pick<Client, 'isBlocked' | 'state'> {
  const { isBlocked, state } = clients.find((each) => each.id === id) ?? CLOSED;
  return { isBlocked, state };
}
