/**
 * A client in Sentinel mode: it asks some Sentinel where the master is, writes there, and asks again whenever the master
 * refuses or is gone. Of each write it knows whether it was acknowledged, refused or left in doubt; a key in doubt is left
 * alone from then on, because the write may still be carried out.
 */
import type { Rng } from '../src/base/index.ts';
import { type Reply, ReplyError } from '../src/resp/index.ts';
import { type Answer, type ClientHost, RespConnection, replyText } from './client.ts';
import type { Network } from './network.ts';
import { type Address, type KeyHistory, KEY_WRITES, WRITE_TIMEOUT_MS } from './workload.ts';
import type { World } from './world.ts';

export interface SentinelWriterInit {
  readonly world: World;
  readonly network: Network;
  readonly host: ClientHost;
  readonly masterName: string;
  readonly sentinels: readonly Address[];
  /** Longest pause between two writes, exclusive. */
  readonly thinkMsMax: number;
  readonly unexpected: (text: string) => void;
}

const BACKOFF_MS = 100;
/** Refusals of a node that is no master just now, or was one when the write came. */
const REFUSALS = new Set(['READONLY', 'LOADING', 'MASTERDOWN', 'UNBLOCKED']);

export class SentinelWriter {
  readonly histories: KeyHistory[] = [];
  acknowledgedCount = 0;
  readonly #init: SentinelWriterInit;
  readonly #rng: Rng;
  #current: KeyHistory | undefined;
  #master: RespConnection | undefined;
  #sentinel: RespConnection | undefined;
  #isStopped = false;

  constructor(init: SentinelWriterInit) {
    this.#init = init;
    this.#rng = init.world.branch();
    this.#goOn(0);
  }

  /** Begins no further write. */
  stop(): void {
    this.#isStopped = true;
  }

  #goOn(atLeastMs: number): void {
    this.#init.world.afterMs(atLeastMs + this.#rng.below(this.#init.thinkMsMax), () => {
      if (this.#isStopped) return;
      if (this.#master === undefined || this.#master.isClosed) this.#findMaster();
      else this.#write(this.#master);
    });
  }

  #findMaster(): void {
    const { host, masterName, network, sentinels } = this.#init;
    this.#master = undefined;
    if (this.#sentinel === undefined || this.#sentinel.isClosed) {
      const address = sentinels[this.#rng.below(sentinels.length)]!;
      this.#sentinel = new RespConnection(network, host, address);
    }
    const words = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', masterName];
    this.#ask(this.#sentinel, words, (answer) => {
      if (answer.kind === 'closed' || !Array.isArray(answer.reply)) return this.#goOn(BACKOFF_MS);
      const [ip, port] = (answer.reply as readonly Reply[]).map(replyText);
      this.#master = new RespConnection(network, host, { ip: ip ?? '', port: Number(port) });
      this.#goOn(0);
    });
  }

  #write(master: RespConnection): void {
    const history = (this.#current ??= this.#newKey());
    history.issued++;
    this.#ask(master, ['SET', history.key, String(history.issued)], (answer) =>
      this.#written(history, master, answer),
    );
  }

  #newKey(): KeyHistory {
    const key = `${this.#init.host.name}:${this.histories.length}`;
    const history = { key, issued: 0, acknowledged: 0, replicated: 0 };
    this.histories.push(history);
    return history;
  }

  #written(history: KeyHistory, master: RespConnection, answer: Answer): void {
    if (answer.kind === 'closed') {
      this.#current = undefined;
      this.#sentinel?.close();
      return this.#goOn(BACKOFF_MS);
    }
    const { reply } = answer;
    if (reply === 'OK') {
      history.acknowledged = history.issued;
      this.acknowledgedCount++;
      this.#init.world.note('acknowledged', history.issued);
      // A later value would hide the loss of this one.
      if (this.#rng.below(KEY_WRITES) === 0) this.#current = undefined;
      return this.#goOn(0);
    }
    if (!(reply instanceof ReplyError) || !REFUSALS.has(reply.code)) {
      this.#init.unexpected(replyText(reply));
    }
    history.issued--;
    master.close();
    // The next Sentinel may know better.
    if (this.#rng.below(2) === 0) this.#sentinel?.close();
    this.#goOn(BACKOFF_MS);
  }

  #ask(
    connection: RespConnection,
    words: readonly string[],
    answered: (answer: Answer) => void,
  ): void {
    let isDone = false;
    this.#init.world.afterMs(WRITE_TIMEOUT_MS, () => {
      if (!isDone) connection.close();
    });
    connection.request(words, (answer) => {
      isDone = true;
      answered(answer);
    });
  }
}
