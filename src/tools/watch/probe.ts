/** A connection to one node that is asked again and again, and made anew when it broke. */
import { ClientError, type NodeAddress, RespClient, formatAddress } from '../../client/index.ts';
import { replyFacts, replyText } from '../../client/index.ts';
import { type Reply, ReplyError } from '../../resp/index.ts';
import { parseClusterNodes } from '../cluster/index.ts';
import type { Probed } from './cluster-snapshot.ts';
import type { NodeSample } from './sample.ts';

export interface ProbeWish {
  readonly isCluster: boolean;
  /** Asks for the node's view of the cluster. */
  readonly wantsView: boolean;
  /** Key whose text is wanted; undefined for none. */
  readonly key: string | undefined;
}

export class Probe implements Probed {
  readonly address: string;
  readonly #at: NodeAddress;
  readonly #timeoutMs: number;
  #client: RespClient | undefined;
  #isBusy = false;
  #isClosed = false;
  #sample: NodeSample | undefined;
  #before: NodeSample | undefined;
  #failure: string | undefined;
  #keyText: string | undefined;

  constructor(at: NodeAddress, timeoutMs: number) {
    this.address = formatAddress(at);
    this.#at = at;
    this.#timeoutMs = timeoutMs;
  }

  get sample(): NodeSample | undefined {
    return this.#sample;
  }

  get before(): NodeSample | undefined {
    return this.#before;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  /** Text of the key that was asked for last; undefined when there is none. */
  get keyText(): string | undefined {
    return this.#keyText;
  }

  /** Asks once; nothing while an earlier question has no answer yet. */
  async poll(wish: ProbeWish): Promise<void> {
    if (this.#isBusy || this.#isClosed) return;
    this.#isBusy = true;
    try {
      const sample = await this.#ask(wish);
      this.#before = this.#failure === undefined ? this.#sample : undefined;
      this.#sample = sample;
      this.#failure = undefined;
    } catch (error) {
      if (!(error instanceof ClientError) && !(error instanceof ReplyError)) throw error;
      this.#failure = reasonOf(error);
    } finally {
      this.#isBusy = false;
    }
  }

  /** Commands of somebody else, over the same connection; error replies are values. Rejects with ClientError. */
  async ask(commands: readonly (readonly string[])[]): Promise<readonly Reply[]> {
    return (await this.#connection()).pipeline(commands);
  }

  close(): void {
    this.#isClosed = true;
    this.#client?.close();
  }

  async #ask(wish: ProbeWish): Promise<NodeSample> {
    const client = await this.#connection();
    const sentMs = performance.now();
    // While it loads its data it answers with an error, which takes as long.
    await client.pipeline([['PING']]);
    const latencyMs = performance.now() - sentMs;
    const commands = [['INFO']];
    if (wish.isCluster) commands.push(['CLUSTER', 'INFO']);
    if (wish.wantsView) commands.push(['CLUSTER', 'NODES']);
    if (wish.key !== undefined) commands.push(['GET', wish.key]);
    const replies = await client.pipeline(commands);
    const [info] = replies;
    if (info instanceof ReplyError) throw info;
    // A key on its way to another node is answered by an error, which says nothing of it.
    const keyReply = wish.key === undefined ? null : replies.at(-1);
    this.#keyText = textOf(keyReply);
    const view = wish.wantsView ? parseClusterNodes(replyText(replies[2])) : undefined;
    return {
      atMs: performance.now(),
      latencyMs: Math.round(latencyMs * 1000) / 1000,
      info: replyFacts(info),
      cluster: wish.isCluster ? replyFacts(replies[1]) : new Map(),
      view: view ?? this.#sample?.view ?? [],
    };
  }

  async #connection(): Promise<RespClient> {
    if (this.#client?.isOpen === true) return this.#client;
    const client = await RespClient.connect({ ...this.#at, db: 0, timeoutMs: this.#timeoutMs });
    if (this.#isClosed) client.close();
    this.#client = client;
    return client;
  }
}

function textOf(reply: Reply | undefined): string | undefined {
  if (reply === undefined || reply === null || reply instanceof ReplyError) return undefined;
  return replyText(reply);
}

/** The message without the address, which stands beside it wherever it is shown. */
function reasonOf(error: ClientError | ReplyError): string {
  return error.message.replace(/^Cannot (?:connect|talk|log in) to \S+: /, '');
}
