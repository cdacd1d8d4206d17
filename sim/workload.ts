/**
 * Writers as a careful cluster client writes them: they follow redirections, back off when the cluster is down, and know
 * of each write whether it was acknowledged, refused or left in doubt. A write in doubt may still be carried out later,
 * so its key is left alone from then on and the writer goes on with a fresh one.
 */
import { type Rng, type Slot, slot } from '../src/base/index.ts';
import { ReplyError } from '../src/resp/index.ts';
import { type Answer, type ClientHost, RespConnection, replyText } from './client.ts';
import type { Network } from './network.ts';
import type { World } from './world.ts';

export interface Address {
  readonly ip: string;
  readonly port: number;
}

/** What became of the writes of one key; its values count up from 1. */
export interface KeyHistory {
  readonly key: string;
  /** Last value sent. */
  issued: number;
  /** Last value that a master acknowledged; 0: none. */
  acknowledged: number;
  /** Last value that all replicas of the shard acknowledged as well; 0: none. */
  replicated: number;
}

interface SlotHistory extends KeyHistory {
  readonly slot: Slot;
  /** Its slot went to a shard with a failed replica: what all replicas had acknowledged, not all have any more. */
  isThin: boolean;
}

export interface WriterInit {
  readonly world: World;
  readonly network: Network;
  readonly host: ClientHost;
  /** Hash tags, with the slot of each. */
  readonly tags: readonly { readonly tag: string; readonly slot: Slot }[];
  readonly addresses: readonly Address[];
  /** Owner of each tag's slot at the beginning. */
  readonly owners: ReadonlyMap<Slot, Address>;
  /** Replicas of each shard; a third of the writes waits for them when there are any. */
  readonly replicas: number;
  /** Longest pause between two writes, exclusive. */
  readonly thinkMsMax: number;
  readonly acknowledged: (ip: string, slot: Slot, atUs: number) => void;
  readonly unexpected: (text: string) => void;
}

/** Longest wait of a client for an answer. */
export const WRITE_TIMEOUT_MS = 2000;
const WAIT_MS = 1000;
const BACKOFF_MS = 100;
/** Acknowledged writes of one key, on average, before a fresh one takes its place. */
export const KEY_WRITES = 4;
/** Redirections of one write before it is given up as refused. */
const HOPS_MAX = 5;
/** Refusals of a node that does not serve just now. */
const BUSY_CODES = new Set(['CLUSTERDOWN', 'LOADING', 'MASTERDOWN', 'TRYAGAIN', 'READONLY']);

export class Writer {
  readonly histories: SlotHistory[] = [];
  acknowledgedCount = 0;
  /** Writes now; see `stop`. */
  isBusy = false;
  readonly #init: WriterInit;
  readonly #rng: Rng;
  readonly #owners: Map<Slot, Address>;
  readonly #connections = new Map<string, RespConnection>();
  readonly #current = new Map<string, SlotHistory>();
  #isStopped = false;

  constructor(init: WriterInit) {
    this.#init = init;
    this.#rng = init.world.branch();
    this.#owners = new Map(init.owners);
    this.#thenWrite(0);
  }

  /** Begins no further write. */
  stop(): void {
    this.#isStopped = true;
  }

  /** These slots have fewer copies from now on. */
  thinOut(isThinned: (slot: Slot) => boolean): void {
    for (const history of this.histories) {
      if (!isThinned(history.slot)) continue;
      history.isThin = true;
      history.replicated = 0;
    }
  }

  #thenWrite(delayMs: number): void {
    this.#init.world.afterMs(delayMs, () => {
      if (!this.#isStopped) this.#write();
    });
  }

  #write(): void {
    const { tags } = this.#init;
    const tag = tags[this.#rng.below(tags.length)]!;
    let history = this.#current.get(tag.tag);
    if (history === undefined) {
      const key = `{${tag.tag}}${this.#init.host.name}:${this.histories.length}`;
      history = { key, slot: tag.slot, issued: 0, acknowledged: 0, replicated: 0, isThin: false };
      this.histories.push(history);
      this.#current.set(tag.tag, history);
    }
    history.issued++;
    this.isBusy = true;
    this.#attempt(history, tag.tag, { hops: HOPS_MAX, isAsking: false }, this.#ownerOf(tag.slot));
  }

  #attempt(
    history: SlotHistory,
    tag: string,
    how: { readonly hops: number; readonly isAsking: boolean },
    to: Address,
  ): void {
    const connection = this.#connection(to);
    const disarm = this.#timeout(connection);
    if (how.isAsking) connection.request(['ASKING'], () => undefined);
    connection.request(['SET', history.key, String(history.issued)], (answer) => {
      disarm();
      this.#answered(history, tag, how.hops, { connection, answer });
    });
  }

  #answered(
    history: SlotHistory,
    tag: string,
    hops: number,
    got: { readonly connection: RespConnection; readonly answer: Answer },
  ): void {
    const { answer, connection } = got;
    if (answer.kind === 'closed') {
      // In doubt: it may be carried out yet.
      this.#current.delete(tag);
      this.#forgetOwner(history.slot);
      return this.#pause(BACKOFF_MS);
    }
    const { reply } = answer;
    if (reply === 'OK') {
      history.acknowledged = history.issued;
      this.acknowledgedCount++;
      // A later value would hide the loss of this one.
      if (this.#rng.below(KEY_WRITES) === 0) this.#current.delete(tag);
      this.#init.world.note('acknowledged', history.slot, history.issued);
      this.#init.acknowledged(connection.ip, history.slot, answer.sentAtUs);
      return this.#init.replicas > 0 && this.#rng.below(3) === 0
        ? this.#wait(history, connection)
        : this.#pause(0);
    }
    if (!(reply instanceof ReplyError)) return this.#unexpected(replyText(reply));
    const redirection = /^(MOVED|ASK) \d+ ([^ ]*):(\d+)$/.exec(reply.message);
    if (redirection !== null && hops > 0) {
      const to = { ip: redirection[2] || connection.ip, port: Number(redirection[3]) };
      const isAsking = redirection[1] === 'ASK';
      if (!isAsking) this.#owners.set(history.slot, to);
      return this.#attempt(history, tag, { hops: hops - 1, isAsking }, to);
    }
    if (redirection === null && !BUSY_CODES.has(reply.code)) return this.#unexpected(reply.message);
    // Refused: nothing was written, the value is given again to the next write.
    history.issued--;
    this.#forgetOwner(history.slot);
    this.#pause(BACKOFF_MS);
  }

  #wait(history: SlotHistory, connection: RespConnection): void {
    const value = history.issued;
    const { replicas } = this.#init;
    const disarm = this.#timeout(connection);
    connection.request(['WAIT', String(replicas), String(WAIT_MS)], (answer) => {
      disarm();
      if (answer.kind === 'reply' && typeof answer.reply === 'number') {
        if (answer.reply >= replicas && !history.isThin) history.replicated = value;
      } else if (answer.kind === 'reply' && !(answer.reply instanceof ReplyError)) {
        return this.#unexpected(replyText(answer.reply));
      }
      this.#pause(0);
    });
  }

  #unexpected(text: string): void {
    this.#init.unexpected(text);
    this.#pause(BACKOFF_MS);
  }

  #pause(atLeastMs: number): void {
    this.isBusy = false;
    this.#thenWrite(atLeastMs + this.#rng.below(this.#init.thinkMsMax));
  }

  #ownerOf(index: Slot): Address {
    return this.#owners.get(slot(index)) ?? this.#anyAddress();
  }

  #forgetOwner(index: Slot): void {
    this.#owners.set(index, this.#anyAddress());
  }

  #anyAddress(): Address {
    const { addresses } = this.#init;
    return addresses[this.#rng.below(addresses.length)]!;
  }

  #connection(to: Address): RespConnection {
    const name = `${to.ip}:${to.port}`;
    let connection = this.#connections.get(name);
    if (connection === undefined || connection.isClosed) {
      connection = new RespConnection(this.#init.network, this.#init.host, to);
      this.#connections.set(name, connection);
    }
    return connection;
  }

  #timeout(connection: RespConnection): () => void {
    let isArmed = true;
    this.#init.world.afterMs(WRITE_TIMEOUT_MS, () => {
      if (isArmed) connection.close();
    });
    return () => {
      isArmed = false;
    };
  }
}
