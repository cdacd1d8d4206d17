/**
 * Sends a snapshot's commands to the nodes of the target, many at once and in order for each node. What a node redirects or refuses
 * for the moment is sent again to whoever has the slot then, before anything that comes later; what it refuses for good
 * is reported.
 */
import {
  type Deployment,
  NOBODY,
  type RawReplies,
  RequestBuffer,
  type RespClient,
  locateReplies,
} from '../../client/index.ts';
import { ReplyError } from '../../resp/index.ts';
import { type Refusal, isPassing, requestsOf } from './batch-replies.ts';
import { CommandKeys } from './command-keys.ts';

interface Lane {
  readonly client: RespClient;
  readonly out: RequestBuffer;
  /** Database that its connection has selected after what was written. */
  db: number;
}

const FLUSH_BYTES: number = 32 * 1024;
/** Bytes sent whose replies are not in, all nodes together. */
const IN_FLIGHT_BYTES_MAX: number = 4 * 1024 * 1024;
const MINUS = 0x2d;

export class TargetWriter {
  readonly deployment: Deployment;
  /** Of its connections, so that a later run can end them. */
  readonly #name: string;
  readonly #onRefusal: (refusal: Refusal) => Error | undefined;
  readonly #keys: CommandKeys = new CommandKeys();
  #lanes: Lane[] = [];
  #inFlightBytes = 0;
  #waiting: (() => void)[] = [];
  #failure: { readonly error: unknown } | undefined;
  /** In order, to be sent again. */
  #again: Refusal[] = [];

  /**
   * Writes to a deployment of its own, which it closes; `connect` first. An answer of `onRefusal` is a reason to end.
   */
  constructor(
    deployment: Deployment,
    name: string,
    onRefusal: (refusal: Refusal) => Error | undefined,
  ) {
    this.deployment = deployment;
    this.#name = name;
    this.#onRefusal = onRefusal;
  }

  /** Connects to every node. Throws ClientError. */
  async connect(): Promise<void> {
    await this.#openLanes();
  }

  /** Nodes that are written to. */
  get nodeCount(): number {
    return this.#lanes.length;
  }

  /** Where to write commands for the node with this index, in database `db`; they are sent by `settle`. */
  lane(node: number, db: number): RequestBuffer {
    const lane = this.#lanes[node === NOBODY ? 0 : node]!;
    selectIn(lane, db);
    return lane.out;
  }

  /** As `lane`, for the owner of a key. */
  laneOfKey(db: number, buf: Buffer, at: number, size: number): RequestBuffer {
    return this.lane(this.deployment.ownerOf(buf, at, size), db);
  }

  /** Where to write what every node gets, in whatever database. */
  everyLane(): readonly RequestBuffer[] {
    return this.#lanes.map(({ out }) => out);
  }

  /** Sends what is worth sending, and waits while too much is under way. Throws what went wrong, if anything did. */
  async settle(): Promise<void> {
    for (const lane of this.#lanes) if (lane.out.byteCount >= FLUSH_BYTES) this.#send(lane);
    while (this.#inFlightBytes > IN_FLIGHT_BYTES_MAX) await this.#change();
    await this.#recover();
  }

  /** Sends everything and waits until all of it is answered. */
  async drain(): Promise<void> {
    for (const lane of this.#lanes) if (lane.out.count > 0) this.#send(lane);
    while (this.#inFlightBytes > 0) await this.#change();
    await this.#recover();
  }

  close(): void {
    this.deployment.close();
  }

  async #openLanes(): Promise<void> {
    const masters = this.deployment.masters();
    const clients = await Promise.all(masters.map((_, i) => this.deployment.connection(i)));
    await Promise.all(clients.map((client) => client.call('CLIENT', 'SETNAME', this.#name)));
    const unsent = this.#lanes.filter(({ out }) => out.count > 0);
    this.#lanes = clients.map((client) => {
      const known = this.#lanes.find((lane) => lane.client === client);
      return known ?? { client, out: new RequestBuffer(), db: 0 };
    });
    // What was written for a node that has no slot any more is sent by key.
    for (const lane of unsent.filter((each) => !this.#lanes.includes(each))) {
      const { count } = lane.out;
      const requests = requestsOf(lane.out.take(), count);
      this.#again.push(
        ...requests.map((args) => ({ args, db: 0, reason: 'its node has no slots' })),
      );
    }
  }

  /** A connection is shared: whoever uses it next finds database 0. */
  #send(lane: Lane): void {
    selectIn(lane, 0);
    const { count } = lane.out;
    const bytes = lane.out.take();
    this.#inFlightBytes += bytes.length;
    lane.client.exchangeBlock(bytes, count).then(
      (block) => {
        if (block.errorCount > 0) this.#sortOut(bytes, locateReplies(block));
        this.#ended(bytes, undefined);
        if (this.#again.length === 0) lane.out.recycle(bytes);
      },
      (error: unknown) => this.#ended(bytes, { error }),
    );
  }

  #ended(bytes: Buffer, failure: { readonly error: unknown } | undefined): void {
    this.#failure ??= failure;
    this.#inFlightBytes -= bytes.length;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  #change(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Finds the commands that were answered with an error. */
  #sortOut(bytes: Buffer, { buf, starts, ends }: RawReplies): void {
    const requests = requestsOf(bytes, starts.length);
    let db = 0;
    for (const [i, args] of requests.entries()) {
      if (nameOf(args) === 'select') db = Number(args[1]?.toString());
      const [start, end] = [starts[i]!, ends[i]!];
      if (buf[start] !== MINUS) continue;
      const refusal = { args, db, reason: buf.toString('latin1', start + 1, end - 2) };
      if (isPassing(refusal.reason)) this.#again.push(refusal);
      else this.#refuse(refusal);
    }
  }

  #refuse(refusal: Refusal): void {
    const error = this.#onRefusal(refusal);
    if (error !== undefined) this.#failure ??= { error };
  }

  /** Sends again what was redirected, one after the other, when nothing else is under way. */
  async #recover(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#again.length === 0) return;
    while (this.#inFlightBytes > 0) await this.#change();
    for (let refusal = this.#again.shift(); refusal !== undefined; refusal = this.#again.shift()) {
      await this.#sendAgain(refusal);
    }
    await this.deployment.refresh();
    await this.#openLanes();
    if (this.#again.length > 0) await this.#recover();
  }

  async #sendAgain({ args, db }: Refusal): Promise<void> {
    try {
      await this.deployment.call(db, this.#keys.firstKey(args), ...args);
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      this.#refuse({ args, db, reason: error.message });
    }
  }
}

function selectIn(lane: Lane, db: number): void {
  if (lane.db === db) return;
  lane.out.begin(2);
  lane.out.word('SELECT');
  lane.out.word(String(db));
  lane.db = db;
}

function nameOf([name]: readonly Buffer[]): string {
  return name?.toString('latin1').toLowerCase() ?? '';
}
