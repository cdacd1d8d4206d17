/**
 * A client of a whole cluster: sends each command to the master of its key's slot and follows MOVED, ASK, TRYAGAIN,
 * CLUSTERDOWN and masters that went away, up to a bound. A command whose outcome is unknown (the connection ended
 * after it was sent) is not sent again: the caller knows whether that is safe.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { keySlot } from '../base/index.ts';
import { type Reply, ReplyError } from '../resp/index.ts';
import { type NodeAddress, formatAddress, type TlsOptions } from './address.ts';
import { ClientError } from './errors.ts';

import { type Argument, RespClient } from './resp-client.ts';
import { type Endpoint, type Redirect, SlotCache, parseRedirect } from './slot-cache.ts';

export interface ClusterOptions {
  /** Tried in order until one answers; the first one's user, password and TLS hold for every node. */
  readonly seeds: readonly NodeAddress[];
  /** Bound for connecting and for each reply, milliseconds. */
  readonly timeoutMs: number;
  readonly tls?: TlsOptions;
  /** Protocol version; default 2. */
  readonly resp?: 2 | 3;
  /** Sendings of one command, redirections among them; default 32. */
  readonly triesMax?: number;
  /** Pause before a try after TRYAGAIN, CLUSTERDOWN or a lost node, milliseconds; default 100. */
  readonly retryDelayMs?: number;
}

const TRIES_MAX = 32;
const RETRY_DELAY_MS = 100;

/** What to do after a try. */
type Next =
  | { readonly kind: 'follow'; readonly redirect: Redirect }
  | { readonly kind: 'wait'; readonly cause: Error }
  | { readonly kind: 'giveUp'; readonly error: unknown };

export class ClusterClient {
  readonly #options: ClusterOptions;
  readonly #slots: SlotCache = new SlotCache();
  readonly #clients: Map<string, Promise<RespClient>> = new Map();
  #isClosed = false;

  private constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** Connects to the first seed that answers and reads the slot map. Throws ClientError `NO_NODE`. */
  static async connect(options: ClusterOptions): Promise<ClusterClient> {
    const client = new ClusterClient(options);
    try {
      await client.refresh();
    } catch (error) {
      client.close();
      throw error;
    }
    return client;
  }

  /** Every master that owns a slot. */
  masters(): readonly Endpoint[] {
    return this.#slots.masters();
  }

  /** The master of a slot as known now. */
  masterOf(slot: number): Endpoint | undefined {
    return this.#slots.masterOf(slot);
  }

  /** The connection to one node, shared with everyone who asks; made when there is none. */
  async node(endpoint: Endpoint): Promise<RespClient> {
    if (this.#isClosed) throw new ClientError('CLOSED', 'Cannot use the cluster client: closed');
    const name = formatAddress(endpoint);
    const known = this.#clients.get(name);
    if (known !== undefined) {
      const client = await known.catch(() => undefined);
      if (client?.isOpen === true) return client;
      if (this.#clients.get(name) === known) this.#clients.delete(name);
    }
    const fresh = this.#clients.get(name) ?? this.#connect(endpoint);
    this.#clients.set(name, fresh);
    return fresh;
  }

  /**
   * One command for the node that owns `key`; an undefined key may go to any master. Rejects with the server's
   * ReplyError, with ClientError `TIMEOUT` or `CLOSED` when the outcome is unknown, or `TOO_MANY_TRIES`.
   */
  async call(key: string | Buffer | undefined, ...args: readonly Argument[]): Promise<Reply> {
    const { triesMax = TRIES_MAX, retryDelayMs = RETRY_DELAY_MS } = this.#options;
    let target = this.#targetOf(key);
    let isAsking = false;
    let last: unknown;
    for (let tries = 0; tries < triesMax; tries++) {
      let next: Next;
      try {
        if (target === undefined) throw new ClientError('NO_NODE', 'The slot has no master now');
        return await this.#send(target, isAsking, args);
      } catch (error) {
        next = afterFailure(error, target ?? { host: '', port: 0 });
      }
      if (next.kind === 'giveUp') throw next.error;
      isAsking = next.kind === 'follow' && next.redirect.kind === 'ask';
      if (next.kind === 'follow') {
        const { redirect } = next;
        if (redirect.kind === 'moved') this.#slots.set(redirect.slot, redirect.to);
        target = redirect.to;
        last = new ReplyError(`${redirect.kind} ${redirect.slot} ${formatAddress(redirect.to)}`);
        continue;
      }
      last = next.cause;
      await pause(retryDelayMs);
      await this.#refreshIfPossible();
      target = this.#targetOf(key);
    }
    throw new ClientError('TOO_MANY_TRIES', `Cannot finish after ${triesMax} tries`, last);
  }

  /** Reads the slot map again from the first node that answers. Throws ClientError `NO_NODE`. */
  async refresh(): Promise<void> {
    let cause: unknown;
    for (const endpoint of [...this.#slots.masters(), ...this.#options.seeds]) {
      try {
        const client = await this.node(endpoint);
        if (this.#slots.load(await client.call('CLUSTER', 'SLOTS'), endpoint)) return;
        cause ??= new Error(`${client.name} knows no slots`);
      } catch (error) {
        if (this.#isClosed) throw error;
        cause ??= error;
      }
    }
    const reason = cause instanceof Error ? cause.message : 'no seeds';
    throw new ClientError('NO_NODE', `Cannot read the slot map from any node: ${reason}`, cause);
  }

  /** Ends every connection at once. */
  close(): void {
    this.#isClosed = true;
    for (const connecting of this.#clients.values()) {
      connecting.then(
        (client) => client.close(),
        () => undefined,
      );
    }
    this.#clients.clear();
  }

  async #send(target: Endpoint, isAsking: boolean, args: readonly Argument[]): Promise<Reply> {
    const client = await this.node(target);
    if (!isAsking) return client.call(...args);
    const [, reply] = await client.pipeline([['ASKING'], args]);
    if (reply instanceof ReplyError) throw reply;
    return reply ?? null;
  }

  /** While no node answers, the map stays as it is and the tries go on to their bound. */
  async #refreshIfPossible(): Promise<void> {
    try {
      await this.refresh();
    } catch (error) {
      if (!(error instanceof ClientError) || error.code !== 'NO_NODE') throw error;
    }
  }

  #targetOf(key: string | Buffer | undefined): Endpoint | undefined {
    if (key === undefined) return this.#slots.masters()[0];
    const bytes = Buffer.isBuffer(key) ? key : Buffer.from(key);
    return this.#slots.masterOf(keySlot(bytes, 0, bytes.length));
  }

  #connect(endpoint: Endpoint): Promise<RespClient> {
    const { seeds, timeoutMs, tls, resp = 2 } = this.#options;
    const [seed] = seeds;
    return RespClient.connect({
      host: endpoint.host,
      port: endpoint.port,
      timeoutMs,
      resp,
      tls: tls ?? seed?.tls ?? false,
      ...(seed?.username === undefined ? {} : { username: seed.username }),
      ...(seed?.password === undefined ? {} : { password: seed.password }),
    });
  }
}

function afterFailure(error: unknown, asked: Endpoint): Next {
  if (error instanceof ReplyError) {
    const redirect = parseRedirect(error.message, asked);
    if (redirect !== undefined) return { kind: 'follow', redirect };
    const isPassing = ['TRYAGAIN', 'CLUSTERDOWN', 'LOADING'].includes(error.code);
    return isPassing ? { kind: 'wait', cause: error } : { kind: 'giveUp', error };
  }
  // Nothing was sent in these cases, so that trying again cannot repeat a write.
  if (error instanceof ClientError && ['CONNECT_FAILED', 'NO_NODE'].includes(error.code)) {
    return { kind: 'wait', cause: error };
  }
  return { kind: 'giveUp', error };
}
