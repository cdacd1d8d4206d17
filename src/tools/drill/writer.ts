/**
 * A client that writes numbers one after the other and follows redirections: it knows where the last write succeeded and
 * goes where it is told; when its node fails it, it asks for another. What it cannot know it writes again.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  ClientError,
  type Endpoint,
  type NodeAddress,
  RespClient,
  formatAddress,
  parseRedirect,
} from '../../client/index.ts';
import { type Reply, ReplyError } from '../../resp/index.ts';
import type { Trouble } from './gaps.ts';

export interface WriterOptions {
  /** Where it begins; user, password and TLS hold for every node. */
  readonly address: NodeAddress;
  /** Its lists are called this and a number. */
  readonly keyPrefix: string;
  /** Time from one write to the next, milliseconds; 0: as fast as it goes. */
  readonly periodMs: number;
  /** Bound for connecting and for a reply. */
  readonly timeoutMs: number;
  readonly another: (failed: Endpoint) => Promise<Endpoint>;
  /** The master that clients were last told of, where somebody tells them. */
  readonly news: () => Endpoint | undefined;
}

/** Numbers in one list: none becomes a large value that would itself be a burden. */
const LIST_NUMBERS = 1000;
/** Lists of a drill that was killed go by themselves after this. */
const LIST_TTL_SECONDS = 3600;
const RETRY_MS = 5;

export class Writer {
  readonly #options: WriterOptions;
  readonly #clients: Map<string, RespClient> = new Map();
  readonly #done: Promise<void>;
  #at: Endpoint;
  #news: Endpoint | undefined;
  #isStopped = false;
  /** When each number was acknowledged: number `n` at index `n - 1`. */
  readonly acknowledgedMs: number[] = [];
  readonly troubles: Trouble[] = [];
  /** Errors by their first word. */
  readonly errors: Map<string, number> = new Map();

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#at = options.address;
    this.#news = options.news();
    this.#done = this.#run();
  }

  /** `host:port` of the node that it writes to. */
  get at(): string {
    return formatAddress(this.#at);
  }

  /** Ends it; the write under way is left as it is. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#done;
  }

  /** The lists it may have written, in their order. */
  keys(): string[] {
    const count = Math.floor(this.acknowledgedMs.length / LIST_NUMBERS) + 1;
    return Array.from({ length: count }, (_, index) => this.#key(index));
  }

  async #run(): Promise<void> {
    const { periodMs } = this.#options;
    let dueMs = performance.now();
    while (!this.#isStopped) {
      if (!(await this.#write(this.acknowledgedMs.length + 1))) break;
      if (periodMs === 0) continue;
      // After a gap it goes on at its rate: it does not catch up.
      dueMs = Math.max(dueMs + periodMs, performance.now());
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await pause(waitMs);
    }
    for (const client of this.#clients.values()) client.close();
  }

  /** Until it is acknowledged; false when it was stopped before. */
  async #write(number: number): Promise<boolean> {
    const fromMs = performance.now();
    let isTroubled = false;
    let isAsking = false;
    while (!this.#isStopped) {
      this.#hearNews();
      const failed = await this.#attempt(number, isAsking);
      if (failed === undefined) {
        const toMs = performance.now();
        this.acknowledgedMs.push(toMs);
        if (isTroubled) this.troubles.push({ fromMs, toMs });
        return true;
      }
      isTroubled = true;
      isAsking = await this.#follow(failed);
    }
    return false;
  }

  #hearNews(): void {
    const news = this.#options.news();
    if (news !== undefined && news !== this.#news) this.#at = news;
    this.#news = news;
  }

  /** Goes where the error says, or elsewhere. Answers whether ASKING has to come first there. */
  async #follow(error: ReplyError | ClientError): Promise<boolean> {
    this.errors.set(error.code, (this.errors.get(error.code) ?? 0) + 1);
    if (error instanceof ReplyError) {
      const redirect = parseRedirect(error.message, this.#at);
      if (redirect !== undefined) {
        this.#at = redirect.to;
        return redirect.kind === 'ask';
      }
    }
    await pause(RETRY_MS);
    const isNodeToBlame = error instanceof ClientError || error.code === 'READONLY';
    if (isNodeToBlame) this.#at = await this.#options.another(this.#at);
    return false;
  }

  async #attempt(number: number, isAsking: boolean): Promise<ReplyError | ClientError | undefined> {
    const key = this.#key(Math.floor((number - 1) / LIST_NUMBERS));
    const isFirst = (number - 1) % LIST_NUMBERS === 0;
    const push = ['RPUSH', key, number] as const;
    try {
      const client = await this.#client();
      const replies: Reply[] = await client.pipeline([
        ...(isAsking ? [['ASKING']] : []),
        push,
        ...(isFirst ? [['EXPIRE', key, LIST_TTL_SECONDS]] : []),
      ]);
      const reply = replies[isAsking ? 1 : 0];
      return reply instanceof ReplyError ? reply : undefined;
    } catch (error) {
      if (error instanceof ClientError) return error;
      throw error;
    }
  }

  async #client(): Promise<RespClient> {
    const name = formatAddress(this.#at);
    const known = this.#clients.get(name);
    if (known?.isOpen === true) return known;
    const { address, timeoutMs } = this.#options;
    const { host, port } = this.#at;
    const fresh = await RespClient.connect({ ...address, host, port, timeoutMs });
    this.#clients.set(name, fresh);
    return fresh;
  }

  #key(index: number): string {
    return `${this.#options.keyPrefix}:${index}`;
  }
}
