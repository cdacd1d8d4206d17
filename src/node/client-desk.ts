/** Where clients come in, are heard and leave: what a `Client` needs of its node. */
import type { User } from '../acl/index.ts';
import { Spares, splitArguments } from '../base/index.ts';
import type {
  AclService,
  LogLevel,
  PubSub,
  ServerStats,
  Session,
  TrackingTable,
} from '../commands/index.ts';
import { type Settings } from '../config/index.ts';
import {
  type InlineSplitter,
  REPLY_BUFFER_BYTES,
  ReplyBufferPool,
  Request,
} from '../resp/index.ts';
import type { Client, ClientHost } from './client.ts';
import type { ClusterPart } from './cluster.ts';
import type { Ending } from './ending.ts';
import type { Clients } from './clients.ts';
import type { ReplicationPart } from './replication.ts';
import type { Turns } from './turns.ts';
import type { WaitQueue } from './wait-queue.ts';

/** Kept of buffers that held long requests. */
const SPARE_INPUT_BYTES_MAX = 8_388_608;
const CLOSED_FOR_OUTPUT = 'scheduled to be closed ASAP for overcoming of output buffer limits.';

export interface ClientDeskOwner extends Turns {
  readonly settings: Settings;
  readonly stats: ServerStats;
  readonly clients: Clients;
  readonly pubsub: PubSub;
  readonly tracking: TrackingTable;
  readonly replication: ReplicationPart;
  readonly waits: WaitQueue;
  readonly ending: Ending;
  readonly acl: AclService;
  readonly cluster: ClusterPart | undefined;
  execute(client: Client, request: Request): void;
  unwatch(session: Session): void;
  log(level: LogLevel, text: string): void;
}

export class ClientDesk implements ClientHost {
  readonly bufferPool: ReplyBufferPool = new ReplyBufferPool();
  readonly spareInputs: Spares<Buffer> = new Spares(SPARE_INPUT_BYTES_MAX);
  readonly parserOptions: { bulkBytesMax: number; readonly splitInline: InlineSplitter };
  readonly request: Request = new Request();
  readonly replyBytesMax: number = REPLY_BUFFER_BYTES;
  readonly #owner: ClientDeskOwner;

  constructor(owner: ClientDeskOwner) {
    this.#owner = owner;
    this.parserOptions = {
      bulkBytesMax: owner.settings['proto-max-bulk-len'],
      splitInline: splitArguments,
    };
  }

  get defaultUser(): User {
    return this.#owner.acl.acl.defaultUser;
  }

  get queryBytesMax(): number {
    return this.#owner.settings['client-query-buffer-limit'];
  }

  get isStalled(): boolean {
    return this.#owner.clients.isStalled;
  }

  beginTurn(): void {
    this.#owner.beginTurn();
  }

  endTurn(): void {
    this.#owner.endTurn();
  }

  execute(client: Client, request: Request): void {
    this.#owner.execute(client, request);
  }

  wantsFlush(client: Client): void {
    this.#owner.clients.wantsFlush(client);
  }

  countInput(bytes: number): void {
    const { stats } = this.#owner;
    stats.readsProcessed++;
    stats.netInputBytes += bytes;
  }

  /** The bytes that replicas get are counted where they are made. */
  countOutput(bytes: number, isToReplica: boolean): void {
    const { stats } = this.#owner;
    stats.writesProcessed++;
    if (!isToReplica) stats.netOutputBytes += bytes;
  }

  onEmptyLine(client: Client): void {
    this.#owner.replication.onEmptyLine(client);
  }

  onProtocolError(client: Client, reason: string): void {
    this.#owner.log('verbose', `Protocol error (${reason}) from client: ${describe(client)}`);
    client.reply.error(`ERR Protocol error: ${reason}`);
    client.closeAfterReply();
  }

  onLongReply(client: Client): void {
    this.#owner.clients.hasLongOutput = true;
    if (!this.#owner.clients.enforceHardLimit(client)) return;
    this.#owner.log('warning', `Client ${describe(client)} ${CLOSED_FOR_OUTPUT}`);
  }

  closeStranger(client: Client): void {
    this.#owner.log('warning', `Client ${describe(client)} ${CLOSED_FOR_OUTPUT}`);
    client.close();
  }

  onLongInput(client: Client): void {
    this.#owner.clients.noteBuffers(client);
  }

  /** Closes a client because of maxmemory-clients. */
  evict(client: Client): void {
    this.#owner.log('notice', `Evicting client: id=${client.id} addr=${client.address}`);
    this.#owner.stats.evictedClients++;
    client.close();
  }

  onClosed(client: Client): void {
    const owner = this.#owner;
    owner.beginTurn();
    owner.clients.remove(client);
    owner.pubsub.forget(client);
    owner.tracking.stop(client);
    owner.unwatch(client);
    client.queue = undefined;
    client.blocked = undefined;
    owner.waits.remove(client);
    owner.ending.forget(client);
    owner.replication.onClientClosed(client);
    owner.cluster?.transfers.onClientClosed(client);
    owner.endTurn();
  }

  onReplicaFlush(client: Client): void {
    this.#owner.replication.onReplicaFlush(client);
  }

  onDrained(client: Client): void {
    if (client.role !== 'replica') return this.#owner.clients.noteBuffers(client);
    this.#owner.beginTurn();
    this.#owner.replication.onClientDrained(client);
    this.#owner.endTurn();
  }
}

function describe(client: Client): string {
  return `id=${client.id} addr=${client.address} laddr=${client.localAddress}`;
}
