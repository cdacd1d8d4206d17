/** One Sentinel: asked again and again what it knows, and listened to, for it publishes every event. */
import {
  ClientError,
  type NodeAddress,
  type RespClient,
  connectSentinel,
  formatAddress,
  replyFacts,
  replyItems,
  replyText,
} from '../../client/index.ts';
import { type PushReply, type Reply, ReplyError, encodeRequest } from '../../resp/index.ts';
import type { EventDraft } from './model.ts';
import { numberOf } from './sample.ts';
import type { ProbedSentinel, SentinelEntry, SentinelSample } from './replication-snapshot.ts';
import { sentinelEvent } from './sentinel-events.ts';

export interface SentinelProbeOptions {
  readonly at: NodeAddress;
  readonly timeoutMs: number;
  /** Of which master; undefined for all. */
  readonly masterName: string | undefined;
  readonly onEvent: (event: EventDraft) => void;
}

export class SentinelProbe implements ProbedSentinel {
  readonly address: string;
  readonly #options: SentinelProbeOptions;
  #asking: RespClient | undefined;
  #listening: RespClient | undefined;
  #isBusy = false;
  #isClosed = false;
  #sample: SentinelSample | undefined;
  #failure: string | undefined;

  constructor(options: SentinelProbeOptions) {
    this.address = formatAddress(options.at);
    this.#options = options;
  }

  get sample(): SentinelSample | undefined {
    return this.#sample;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  /** Asks once; nothing while an earlier question has no answer yet. */
  async poll(): Promise<void> {
    if (this.#isBusy || this.#isClosed) return;
    this.#isBusy = true;
    try {
      if (this.#listening?.isOpen !== true) this.#listening = await this.#subscribe();
      this.#sample = await this.#read();
      this.#failure = undefined;
    } catch (error) {
      if (!(error instanceof ClientError) && !(error instanceof ReplyError)) throw error;
      this.#failure = error.message.replace(/^Cannot (?:connect|talk|log in) to \S+: /, '');
    } finally {
      this.#isBusy = false;
    }
  }

  /** Commands of somebody else; error replies are values. Rejects with ClientError. */
  async ask(commands: readonly (readonly string[])[]): Promise<readonly Reply[]> {
    this.#asking = this.#asking?.isOpen === true ? this.#asking : await this.#connect(2);
    return this.#asking.pipeline(commands);
  }

  close(): void {
    this.#isClosed = true;
    this.#asking?.close();
    this.#listening?.close();
  }

  async #connect(resp: 2 | 3): Promise<RespClient> {
    const { at, timeoutMs } = this.#options;
    const client = await connectSentinel({ ...at, db: 0, timeoutMs, resp });
    if (this.#isClosed) client.close();
    return client;
  }

  async #subscribe(): Promise<RespClient> {
    const client = await this.#connect(3);
    client.onPush((push) => this.#heard(push));
    // The answer to PSUBSCRIBE is a push too: the one reply that is awaited is PING's.
    const request = [['PSUBSCRIBE', '*'], ['PING']].map((words) =>
      encodeRequest(words.map((word) => Buffer.from(word))),
    );
    await client.exchange(Buffer.concat(request), 1);
    return client;
  }

  #heard({ items }: PushReply): void {
    const [kind, , channel, payload] = items.map((item) => replyText(item));
    if (kind !== 'pmessage' || channel === undefined || payload === undefined) return;
    const { masterName, onEvent } = this.#options;
    if (masterName !== undefined && !payload.split(' ').includes(masterName)) {
      // Epochs and TILT are of no master.
      if (!/^[+-](?:new-epoch|tilt)$/.test(channel)) return;
    }
    onEvent(sentinelEvent(channel, payload, this.address));
  }

  async #read(): Promise<SentinelSample> {
    const [info, masters] = await this.ask([
      ['INFO', 'sentinel'],
      ['SENTINEL', 'MASTERS'],
    ]);
    if (masters instanceof ReplyError) throw masters;
    const watched = replyItems(masters)
      .map((item) => fieldsOf(item))
      .filter((master) => (this.#options.masterName ?? master.get('name')) === master.get('name'));
    const lists = await this.ask(
      watched.flatMap((master) => [
        ['SENTINEL', 'REPLICAS', master.get('name') ?? ''],
        ['SENTINEL', 'SENTINELS', master.get('name') ?? ''],
      ]),
    );
    const entries: SentinelEntry[] = [];
    const peers = new Set<string>();
    for (const [index, master] of watched.entries()) {
      const group = master.get('name') ?? '';
      const masterAddress = addressOf(master);
      entries.push(entryOf(master, 'master', { group, masterAddress }));
      for (const item of replyItems(lists[2 * index])) {
        entries.push(entryOf(fieldsOf(item), 'replica', { group, masterAddress }));
      }
      for (const item of replyItems(lists[2 * index + 1])) peers.add(addressOf(fieldsOf(item)));
    }
    const facts = replyFacts(info);
    return {
      entries,
      peers: [...peers],
      epoch: Math.max(0, ...watched.map((master) => numberOf(master, 'config-epoch'))),
      isTilted: facts.get('sentinel_tilt') === '1',
    };
  }
}

function entryOf(
  fields: ReadonlyMap<string, string>,
  role: SentinelEntry['role'],
  of: Pick<SentinelEntry, 'group' | 'masterAddress'>,
): SentinelEntry {
  return { ...of, address: addressOf(fields), role, flags: (fields.get('flags') ?? '').split(',') };
}

function addressOf(fields: ReadonlyMap<string, string>): string {
  return formatAddress({ host: fields.get('ip') ?? '', port: numberOf(fields, 'port') });
}

/** The fields of one instance, which come as a flat list. */
function fieldsOf(item: Reply): ReadonlyMap<string, string> {
  const words = replyItems(item).map((each) => replyText(each));
  const fields = new Map<string, string>();
  for (let index = 0; index + 1 < words.length; index += 2) {
    fields.set(words[index] ?? '', words[index + 1] ?? '');
  }
  return fields;
}
