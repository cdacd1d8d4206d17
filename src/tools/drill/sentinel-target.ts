/** A master that Sentinels watch as the target of a drill. */
import {
  ClientError,
  type Endpoint,
  Deployment,
  type NodeAddress,
  RequestBuffer,
  RespClient,
  findMaster,
  formatAddress,
  replyFacts,
  replyItems,
  replyText,
} from '../../client/index.ts';
import { PushReply, type Reply, ReplyError } from '../../resp/index.ts';
import { callNode, connectNode, waitUntil, withCredentials } from '../cluster/index.ts';
import { ToolError, asToolError } from '../errors.ts';
import type { DrillKind, Member, Shard, Target } from './target.ts';
import type { Timeline } from './timeline.ts';
import { watchEach } from './watching.ts';

const REPLY_BOUND_MS = 1000;
const DATA_BOUND_MS = 5000;
/** How much longer than down-after-milliseconds a silence has to be to end in a failover, and by how much more. */
const SILENCE_FACTOR = 2;
const SILENCE_MARGIN_MS = 5000;
/** A Sentinel that is not ready for another failover says so until it is. */
const REFUSED_MS_MAX = 60_000;
const REFUSED_POLL_MS = 100;
/** A failover is under way, or no replica is ready for one. */
const PASSING: readonly string[] = ['INPROG', 'NOGOODSLAVE'];

interface WatchedMaster {
  readonly sentinels: readonly NodeAddress[];
  readonly nodes: readonly NodeAddress[];
  readonly name: string;
  readonly silenceMs: number;
}

export class SentinelTarget implements Target {
  readonly kinds: readonly DrillKind[] = ['manual', 'coordinated'];
  readonly title: string;
  readonly silenceMs: number;
  readonly #sentinels: readonly NodeAddress[];
  /** The master and its replicas, whoever is what. */
  readonly #nodes: readonly NodeAddress[];
  readonly #name: string;
  /** Of the last +switch-master. */
  news: Endpoint | undefined;
  #asking: Promise<Endpoint> | undefined;

  private constructor(master: WatchedMaster) {
    this.#sentinels = master.sentinels;
    this.#nodes = master.nodes;
    this.#name = master.name;
    this.silenceMs = master.silenceMs;
    this.title = `the master "${master.name}" with ${master.sentinels.length} Sentinels`;
  }

  /** `name` may be left out where the Sentinel watches one master only. Throws ToolError. */
  static async open(seed: NodeAddress, name: string | undefined): Promise<SentinelTarget> {
    const client = await connectNode(seed);
    try {
      const masters = tablesOf(await callNode(client, 'SENTINEL', 'MASTERS'));
      const names = masters.map((master) => master.get('name') ?? '');
      const master = masters.find((each) => each.get('name') === (name ?? names[0]));
      if (master === undefined || (name === undefined && names.length > 1)) {
        const known = names.length === 0 ? 'none' : names.join(', ');
        throw new ToolError(
          'USAGE',
          `Cannot choose a master: the Sentinel knows ${known}; name one with --master-name`,
        );
      }
      const chosen = master.get('name') ?? '';
      const others = tablesOf(await callNode(client, 'SENTINEL', 'SENTINELS', chosen));
      const sentinels = [seed, ...others.map((table) => addressIn(table, seed))];
      const replicas = tablesOf(await callNode(client, 'SENTINEL', 'REPLICAS', chosen));
      const nodes = [master, ...replicas].map((table) => addressIn(table, seed));
      const downMs = Number(master.get('down-after-milliseconds') ?? 0);
      const silenceMs = SILENCE_FACTOR * downMs + SILENCE_MARGIN_MS;
      return new SentinelTarget({ sentinels, nodes, name: chosen, silenceMs });
    } finally {
      client.close();
    }
  }

  async shards(): Promise<Shard[]> {
    const master = memberAt(await this.#master());
    const replicas = this.#nodes.map((node) => memberAt(node)).filter(({ id }) => id !== master.id);
    return [{ name: this.#name, master, replicas, tag: this.#name }];
  }

  /** The nodes are asked themselves: a Sentinel learns of what they do every ten seconds only. */
  async problem(missing: Member | undefined): Promise<string | undefined> {
    const master = formatAddress(await this.#master());
    for (const sentinel of this.#sentinels) {
      const named = formatAddress(await findMaster([sentinel], this.#name, REPLY_BOUND_MS));
      if (named !== master) return `Sentinel ${formatAddress(sentinel)} knows ${named} as master`;
    }
    for (const node of this.#nodes) {
      const name = formatAddress(node);
      if (name === missing?.name) continue;
      const facts = await factsOf(node);
      if (name === master) {
        if (facts.get('role') !== 'master') return `${name} is no master`;
        continue;
      }
      const followed = `${facts.get('master_host') ?? 'nobody'}:${facts.get('master_port') ?? ''}`;
      if (followed !== master) return `${name} does not copy ${master}`;
      if (facts.get('master_link_status') !== 'up') return `${name} has no link to its master`;
    }
    return undefined;
  }

  /** As a client does: the Sentinels are asked; all writers that lost their master together ask once. */
  async another(failed: Endpoint): Promise<Endpoint> {
    this.#asking ??= findMaster(this.#sentinels, this.#name, REPLY_BOUND_MS).finally(() => {
      this.#asking = undefined;
    });
    try {
      return await this.#asking;
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      return failed;
    }
  }

  async aim(kind: DrillKind): Promise<() => Promise<void>> {
    const [seed] = this.#sentinels;
    if (!this.kinds.includes(kind) || seed === undefined) {
      throw new ToolError('USAGE', `Cannot drill ${kind} with Sentinels`);
    }
    const client = await connectNode(seed);
    const words = kind === 'coordinated' ? ['COORDINATED'] : [];
    let last = '';
    return async () => {
      try {
        await waitUntil(
          async () => {
            try {
              await client.call('SENTINEL', 'FAILOVER', this.#name, ...words);
              return true;
            } catch (error) {
              const isPassing = error instanceof ReplyError && PASSING.includes(error.code);
              if (!isPassing) throw asToolError(error, client.name);
              last = error.message;
              return false;
            }
          },
          REFUSED_MS_MAX,
          () => `Sentinel ${client.name} does not begin a failover: ${last}`,
          REFUSED_POLL_MS,
        );
      } finally {
        client.close();
      }
    };
  }

  async watch(timeline: Timeline): Promise<() => void> {
    const open: RespClient[] = [];
    for (const sentinel of this.#sentinels) {
      const by = formatAddress(sentinel);
      const client = await RespClient.connect({ ...sentinel, resp: 3, timeoutMs: REPLY_BOUND_MS });
      open.push(client);
      client.onPush((push) => this.#hear(push, by, timeline));
      await subscribe(client);
    }
    const endWatch = await watchEach(
      this.#nodes,
      timeline,
      async (client, name, before: ReadonlyMap<string, string> | undefined) => {
        const facts = replyFacts(await client.call('INFO', 'replication'));
        for (const field of ['role', 'master_link_status']) {
          const [old, now] = [before?.get(field), facts.get(field)];
          if (before === undefined || old === now) continue;
          timeline.add(
            name,
            'node',
            `${name} ${field}: ${(now ?? 'none').replace('slave', 'replica')}`,
          );
        }
        return facts;
      },
    );
    return () => {
      endWatch();
      for (const client of open) client.close();
    };
  }

  data(): Promise<Deployment> {
    return Deployment.open({
      seeds: this.#sentinels,
      masterName: this.#name,
      timeoutMs: DATA_BOUND_MS,
    });
  }

  #hear(push: PushReply, by: string, timeline: Timeline): void {
    const [kind, , channel, text] = push.items.map((item) => replyText(item));
    if (kind !== 'pmessage' || channel === undefined) return;
    timeline.add(by, channel, `${channel} ${text ?? ''}`);
    const [name, , , host, port] = (text ?? '').split(' ');
    if (channel !== '+switch-master' || name !== this.#name || host === undefined) return;
    if (this.news?.host === host && this.news.port === Number(port)) return;
    this.news = { host, port: Number(port) };
  }

  #master(): Promise<NodeAddress> {
    return findMaster(this.#sentinels, this.#name, REPLY_BOUND_MS);
  }
}

async function factsOf(address: NodeAddress): Promise<ReadonlyMap<string, string>> {
  const client = await connectNode(address);
  try {
    return replyFacts(await callNode(client, 'INFO', 'replication'));
  } finally {
    client.close();
  }
}

/** The answer to PSUBSCRIBE is a push in RESP3, so that a PING behind it tells that it has come. */
async function subscribe(client: RespClient): Promise<void> {
  const requests = new RequestBuffer();
  requests.begin(2);
  requests.word('PSUBSCRIBE');
  requests.word('*');
  requests.begin(1);
  requests.word('PING');
  await client.exchange(requests.take(), 1);
}

function memberAt(address: NodeAddress): Member {
  const name = formatAddress(address);
  return { id: name, name, address };
}

function addressIn(table: ReadonlyMap<string, string>, like: NodeAddress): NodeAddress {
  return withCredentials(
    { host: table.get('ip') ?? '', port: Number(table.get('port') ?? 0) },
    like,
  );
}

/** Lists of names and values, as Sentinels describe instances. */
function tablesOf(reply: Reply): ReadonlyMap<string, string>[] {
  return replyItems(reply).map((item) => {
    const words = replyItems(item).map((word) => replyText(word));
    const table = new Map<string, string>();
    for (let at = 0; at + 1 < words.length; at += 2)
      table.set(words[at] ?? '', words[at + 1] ?? '');
    return table;
  });
}
