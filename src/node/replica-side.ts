/** Carries out what the link to our master decides: the connection, the snapshot it sends, and its stream of commands. */
import { assertNever, invariant } from '../base/index.ts';
import {
  type LinkEffect,
  type LinkInput,
  MasterStream,
  NO_DB,
  type ReplicaLink,
  type ReplicationEvent,
  type ReplicationHistory,
  type StreamTarget,
} from '../replication/index.ts';
import type { Client } from './client.ts';
import type { Inside } from './inside.ts';
import { MasterConnection, type MasterListener } from './master-connection.ts';
import type { LibraryIntake } from './scripting/functions.ts';
import { SLOT_MARKS_FIELD } from './snapshot-format.ts';
import { SHORT_READ, SnapshotLoader, TOO_LARGE } from './snapshot-loader.ts';

export interface ReplicaSideInit {
  readonly link: ReplicaLink;
  readonly history: ReplicationHistory;
  readonly turns: { beginTurn(): void; endTurn(): void };
  readonly log: (event: ReplicationEvent) => void;
  /** Bytes of the stream that were applied, in order. */
  readonly relay: (buf: Buffer, at: number, size: number) => void;
  readonly disconnectReplicas: () => void;
  /** The applied offset moved, or the link went up or down. */
  readonly progressed: () => void;
  /** The master's snapshot took the place of our data; `slotMarks` as in `ClusterReplication`. */
  readonly replaced: (slotMarks: string) => void;
  /** Whether the replica that was asked to change places does so. */
  readonly handoverAnswered: (isAccepted: boolean) => void;
}

export class ReplicaSide implements MasterListener, StreamTarget {
  readonly #inside: Inside;
  readonly #init: ReplicaSideInit;
  readonly #stream: MasterStream = new MasterStream(this);
  /** Of the stream, while clients are paused. */
  readonly #held: Buffer[] = [];
  /** What came while a script ran: it must see neither the stream nor other data in the place of ours. */
  #unread: Buffer[] = [];
  #connection: MasterConnection | undefined;
  /** Runs the master's commands while the link is up. */
  #client: Client | undefined;
  /** On its way from the master. */
  #snapshot: { readonly loader: SnapshotLoader; readonly libraries: LibraryIntake } | undefined;
  /** Of the snapshot on its way. */
  #slotMarks = '';

  constructor(inside: Inside, init: ReplicaSideInit) {
    this.#inside = inside;
    this.#init = init;
  }

  step(input: LinkInput): void {
    this.#carryOut(this.#init.link.step(this.#inside.now, input));
    this.#inside.rearm();
  }

  drop(): void {
    this.#unread = [];
    this.#connection?.drop();
    this.#connection = undefined;
  }

  /** CLIENT KILL reached the client that runs the master's commands. */
  onClientClosed(client: Client): void {
    if (client !== this.#client) return;
    this.#client = undefined;
    this.drop();
    this.step({ kind: 'closed' });
  }

  connected(): void {
    this.#inTurn(() => this.step({ kind: 'connected' }));
  }

  connectFailed(reason: string): void {
    this.#connection = undefined;
    this.#inTurn(() => this.step({ kind: 'connectFailed', reason }));
  }

  received(buf: Buffer, size: number): void {
    if (this.#inside.isInScript) {
      this.#unread.push(Buffer.from(buf.subarray(0, size)));
      this.#connection?.pause();
      return;
    }
    this.#inTurn(() => {
      const { now, stats } = this.#inside;
      stats.replInputBytes += size;
      if (this.#client !== undefined) this.#client.lastInteractionAt = now;
      this.#carryOut(this.#init.link.receive(now, buf, 0, size));
      this.#inside.rearm();
    });
  }

  closed(): void {
    this.#unread = [];
    this.#connection = undefined;
    this.#inTurn(() => this.step({ kind: 'closed' }));
  }

  #inTurn(event: () => void): void {
    this.#init.turns.beginTurn();
    event();
    this.#init.turns.endTurn();
  }

  #carryOut(effects: readonly LinkEffect[]): void {
    for (const effect of effects) this.#do(effect);
  }

  #do(effect: LinkEffect): void {
    switch (effect.kind) {
      case 'connect':
        this.#connection = new MasterConnection(this.#inside.ports.network, effect, this);
        return;
      case 'send':
        return this.#connection?.send(effect.bytes);
      case 'close':
        return this.drop();
      case 'beginSnapshot':
        return this.#beginSnapshot();
      case 'snapshotBytes':
        return this.#load(effect.buf, effect.at, effect.size);
      case 'endSnapshot':
        return this.#finishLoading();
      case 'abortSnapshot':
        return this.#abortLoading();
      case 'stream':
        return this.#take(effect.buf, effect.at, effect.size);
      case 'resetStream':
        return this.#resetStream();
      case 'disconnectReplicas':
        return this.#init.disconnectReplicas();
      case 'handoverAnswered':
        return this.#init.handoverAnswered(effect.isAccepted);
      case 'linkUp':
        return this.#goUp();
      case 'linkDown':
        return this.#init.progressed();
      case 'log':
        return this.#init.log(effect.event);
      default:
        assertNever(effect);
    }
  }

  #beginSnapshot(): void {
    const aside = this.#inside.createKeyspace();
    aside.nowMs = this.#inside.unixNow;
    aside.expiryMode = 'ignore';
    this.#slotMarks = '';
    const aux = (name: string, value: string): void => {
      if (name === SLOT_MARKS_FIELD) this.#slotMarks = value;
    };
    const libraries = this.#inside.functions.intakeAside();
    this.#snapshot = { loader: new SnapshotLoader({ keyspace: aside, libraries, aux }), libraries };
  }

  #load(buf: Buffer, at: number, size: number): void {
    const { loader } = this.#snapshot ?? {};
    if (loader === undefined) return;
    const { loadedCount } = loader;
    const problem = loader.push(buf, at, size);
    if (problem !== undefined) return this.#failLoading(loader, problem);
    if (this.#inside.settings['key-load-delay'] > 0) this.#delay(loader.loadedCount - loadedCount);
  }

  /** With `key-load-delay` nothing more is read for a while, so that a test has the time to look. */
  #delay(keyCount: number): void {
    const connection = this.#connection;
    const { clock } = this.#inside.ports;
    const startUs = clock.monoUs();
    connection?.pause();
    this.#inside.addWork(() => {
      const delayUs = keyCount * this.#inside.settings['key-load-delay'];
      if (connection === this.#connection && clock.monoUs() < startUs + delayUs) return true;
      connection?.resume();
      return false;
    });
  }

  #finishLoading(): void {
    const snapshot = this.#snapshot;
    if (snapshot === undefined) return;
    const { loader, libraries } = snapshot;
    const problem = loader.finish();
    if (problem !== undefined) return this.#failLoading(loader, problem);
    this.#snapshot = undefined;
    this.#inside.keyspace.replaceWith(loader.keyspace);
    this.#inside.functions.adopt(libraries);
    this.#inside.persistence.aof.restart();
    this.#init.replaced(this.#slotMarks);
    this.step({ kind: 'snapshotLoaded', streamDb: loader.streamDb });
  }

  /** The rest of the snapshot will not come. */
  #abortLoading(): void {
    const { loader } = this.#snapshot ?? {};
    this.#snapshot = undefined;
    if (loader === undefined) return;
    const at = loader.usedBytes;
    this.#inside.log('warning', `Internal error in RDB reading offset ${at} -> ${SHORT_READ}`);
  }

  #failLoading(loader: SnapshotLoader, problem: string): void {
    this.#snapshot = undefined;
    const reason = loader.located(problem);
    this.step({ kind: 'snapshotFailed', reason, isForeign: loader.isForeign });
  }

  #goUp(): void {
    this.#stream.reset();
    const client = this.#inside.createMasterClient(this.#connection?.facts);
    client.role = 'master';
    const { streamDb } = this.#init.history;
    client.dbIndex = streamDb === NO_DB ? 0 : streamDb;
    this.#client = client;
    this.#init.progressed();
  }

  #resetStream(): void {
    this.#stream.reset();
    this.#held.length = 0;
    const client = this.#client;
    // Its own end shall not be taken for one that somebody asked for.
    this.#client = undefined;
    client?.close();
  }

  /** CLIENT PAUSE holds what the master sends as well: our offset stands still. */
  #take(buf: Buffer, at: number, size: number): void {
    const mustWait = this.#inside.isPaused || this.#held.length > 0;
    if (mustWait) this.#held.push(Buffer.from(buf.subarray(at, at + size)));
    else this.#apply(buf, at, size);
  }

  /** A pause, or a script, may be over. */
  resume(): void {
    if (this.#inside.isPaused) return;
    const unread = this.#unread;
    this.#unread = [];
    if (unread.length > 0) this.#connection?.resume();
    for (const bytes of unread) this.received(bytes, bytes.length);
    for (const bytes of this.#held.splice(0)) this.#apply(bytes, 0, bytes.length);
  }

  #apply(buf: Buffer, at: number, size: number): void {
    const { keyspace } = this.#inside;
    // What the master did not expire is alive, whatever our clock says.
    keyspace.expiryMode = 'ignore';
    const problem = keyspace.isFull ? TOO_LARGE : this.#stream.push(buf, at, size);
    keyspace.expiryMode = this.#init.history.isFollowing ? 'hide' : 'delete';
    if (problem !== undefined) {
      this.#inside.log('warning', `Protocol error from the master's stream: ${problem}`);
      this.step({ kind: 'protocolError' });
    }
    this.#init.progressed();
  }

  get isInTransaction(): boolean {
    return this.#client?.queue !== undefined;
  }

  run(buf: Buffer, at: number, size: number): void {
    const client = this.#client;
    invariant(client !== undefined, 'a stream has a client while the link is up');
    this.#inside.runFromMaster(client, buf, at, size);
    this.#init.history.streamDb = client.dbIndex;
  }

  applied(buf: Buffer, at: number, size: number): void {
    this.#init.relay(buf, at, size);
  }

  getAck(): void {
    this.step({ kind: 'getAck' });
  }
}
