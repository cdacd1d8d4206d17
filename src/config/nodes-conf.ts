/**
 * nodes.conf: what a cluster node knows of its cluster, one line a node and a last line of epochs, byte for byte as
 * redis-server 7.0.15 writes it. Reading is stricter than there: where Redis would take nonsense for 0 or crash, the
 * file is damaged and the answer says where.
 */
import { type NodeId, SLOT_COUNT, isHexId, nodeId, splitArguments } from '../base/index.ts';

/** Flags of a node line in the order in which they are written; `fail?` is PFAIL, `slave` a replica. */
export type NodesConfFlag =
  'myself' | 'master' | 'slave' | 'fail?' | 'fail' | 'handshake' | 'noaddr' | 'nofailover';

export interface NodesConfNode {
  readonly id: NodeId;
  /** IP address or announced name; empty while unknown. */
  readonly host: string;
  readonly port: number;
  readonly busPort: number;
  readonly hostname: string | undefined;
  /** 40 hex digits that a master and its replicas share; a field of 7.2, written where there is one. */
  readonly shardId?: NodeId;
  /** Empty is written as `noflags`. */
  readonly flags: readonly NodesConfFlag[];
  readonly masterId: NodeId | undefined;
  /** 0 when no ping is waiting for its pong. */
  readonly pingSentUnixMs: number;
  /** 0 when no pong came yet. */
  readonly pongReceivedUnixMs: number;
  readonly configEpoch: number;
  readonly linkState: 'connected' | 'disconnected';
  /** Ranges of owned slots, both ends included, ascending. */
  readonly slots: readonly (readonly [number, number])[];
  /** Only on the line of `myself`. */
  readonly migrating: readonly { readonly slot: number; readonly to: NodeId }[];
  readonly importing: readonly { readonly slot: number; readonly from: NodeId }[];
}

export interface NodesConf {
  readonly nodes: readonly NodesConfNode[];
  readonly currentEpoch: number;
  readonly lastVoteEpoch: number;
  /**
   * Slots whose keys on this node, wherever they are another's, are left over from a slot migration: ranges, both ends
   * included. A variable of ours, which a real server skips.
   */
  readonly strays?: readonly (readonly [number, number])[];
}

export type NodesConfReason =
  | 'unbalancedQuotes'
  | 'tooFewFields'
  | 'badNodeId'
  | 'nodeTwice'
  | 'badAddress'
  | 'badShardId'
  | 'unknownFlag'
  | 'secondMyself'
  | 'noMyself'
  | 'badMasterId'
  | 'badNumber'
  | 'badLinkState'
  | 'badSlot'
  | 'slotTwice'
  | 'badVars'
  | 'cutLine';

export interface NodesConfDamage {
  /** From 1. */
  readonly line: number;
  readonly reason: NodesConfReason;
  /** The text that is wrong. */
  readonly found: string;
}

export type ParsedNodesConf =
  /** An empty file, as an interrupted first start leaves it: the node is new. */
  | { readonly kind: 'fresh' }
  | { readonly kind: 'loaded'; readonly conf: NodesConf }
  | { readonly kind: 'damaged'; readonly damage: NodesConfDamage };

const FLAGS: readonly NodesConfFlag[] = [
  'myself',
  'master',
  'slave',
  'fail?',
  'fail',
  'handshake',
  'noaddr',
  'nofailover',
];
const PORT_MAX = 65535;
const BUS_PORT_INCREMENT = 10000;
const FIELD_COUNT_MIN = 8;
const SHARD_ID = 'shard-id=';

/** The file's text. Node lines come in the order of `conf.nodes`; Redis keeps none. */
export function formatNodesConf(conf: NodesConf): string {
  let text = '';
  for (const node of conf.nodes) text += `${formatNode(node)}\n`;
  const { currentEpoch, lastVoteEpoch, strays = [] } = conf;
  const ranges = strays.map(([from, to]) => `${from}-${to}`).join(',');
  const rest = ranges === '' ? '' : ` strays ${ranges}`;
  return `${text}vars currentEpoch ${currentEpoch} lastVoteEpoch ${lastVoteEpoch}${rest}\n`;
}

function formatNode(node: NodesConfNode): string {
  const address = `${node.host}:${node.port}@${node.busPort}`;
  const shardId = node.shardId === undefined ? '' : `,shard-id=${node.shardId}`;
  const isNamed = node.hostname !== undefined || shardId !== '';
  const hostname = isNamed ? `,${node.hostname ?? ''}${shardId}` : '';
  const flags = node.flags.length === 0 ? 'noflags' : node.flags.join(',');
  let text =
    `${node.id} ${address}${hostname} ${flags} ${node.masterId ?? '-'} ${node.pingSentUnixMs} ` +
    `${node.pongReceivedUnixMs} ${node.configEpoch} ${node.linkState}`;
  for (const [from, to] of node.slots) text += from === to ? ` ${from}` : ` ${from}-${to}`;
  const moves = [
    ...node.migrating.map(({ slot, to }) => ({ slot, mark: `[${slot}->-${to}]` })),
    ...node.importing.map(({ slot, from }) => ({ slot, mark: `[${slot}-<-${from}]` })),
  ];
  moves.sort((a, b) => a.slot - b.slot);
  for (const { mark } of moves) text += ` ${mark}`;
  return text;
}

/**
 * Reads the file. Accepted as in 7.0: blank lines, CRLF, a missing bus port (port + 10000), unknown `vars`, the extra
 * fields that 7.2 puts after the hostname, a missing `vars` line, and a `vars` line without its newline.
 * Divergence: a node line without its newline was cut short and is damage, since its last slot number may have lost
 * digits; so is a number, link state or slot range that Redis would read as something else.
 */
export function parseNodesConf(text: string): ParsedNodesConf {
  if (text === '') return { kind: 'fresh' };
  const reader = new NodesConfReader();
  const lines = text.split('\n');
  let number = 0;
  for (const line of lines) {
    number++;
    const wrong = reader.readLine(line, number < lines.length);
    if (wrong !== undefined) return { kind: 'damaged', damage: { line: number, ...wrong } };
  }
  if (!reader.hasMyself) {
    return { kind: 'damaged', damage: { line: number, reason: 'noMyself', found: '' } };
  }
  return { kind: 'loaded', conf: reader.conf() };
}

type Wrong = Omit<NodesConfDamage, 'line'>;

/** What a rule of the grammar found in a field: its value, or what is wrong. */
type Field<T> = { readonly value: T } | { readonly wrong: Wrong };

function wrong(reason: NodesConfReason, found: string): { readonly wrong: Wrong } {
  return { wrong: { reason, found } };
}

class NodesConfReader {
  hasMyself = false;
  readonly #nodes: NodesConfNode[] = [];
  readonly #ids = new Set<string>();
  readonly #takenSlots = new Uint8Array(SLOT_COUNT);
  #currentEpoch = 0;
  #lastVoteEpoch = 0;
  readonly #strays: [number, number][] = [];

  conf(): NodesConf {
    return {
      nodes: this.#nodes,
      currentEpoch: this.#currentEpoch,
      lastVoteEpoch: this.#lastVoteEpoch,
      ...(this.#strays.length === 0 ? {} : { strays: this.#strays }),
    };
  }

  readLine(line: string, isEnded: boolean): Wrong | undefined {
    const words = splitArguments(line);
    if (words === undefined) return { reason: 'unbalancedQuotes', found: line };
    if (words.length === 0) return undefined;
    if (words[0]!.toLowerCase() === 'vars') return this.#readVars(words);
    if (words.length < FIELD_COUNT_MIN) return { reason: 'tooFewFields', found: line };
    if (!isEnded) return { reason: 'cutLine', found: line };
    const field = this.#node(words);
    if ('wrong' in field) return field.wrong;
    this.#nodes.push(field.value);
    return undefined;
  }

  #readVars(words: readonly string[]): Wrong | undefined {
    if (words.length % 2 === 0) return { reason: 'badVars', found: words.join(' ') };
    for (let i = 1; i < words.length; i += 2) {
      const name = words[i]!.toLowerCase();
      if (name === 'strays') {
        const flaw = this.#readStrays(words[i + 1]!);
        if (flaw !== undefined) return flaw;
      }
      if (name !== 'currentepoch' && name !== 'lastvoteepoch') continue;
      const epoch = parseCount(words[i + 1]!);
      if ('wrong' in epoch) return epoch.wrong;
      if (name === 'currentepoch') this.#currentEpoch = epoch.value;
      else this.#lastVoteEpoch = epoch.value;
    }
    return undefined;
  }

  #readStrays(text: string): Wrong | undefined {
    for (const range of text.split(',')) {
      const found = /^([0-9]{1,5})-([0-9]{1,5})$/.exec(range);
      const [from, to] = [Number(found?.[1]), Number(found?.[2])];
      if (!(from <= to && to < SLOT_COUNT)) return { reason: 'badSlot', found: range };
      this.#strays.push([from, to]);
    }
    return undefined;
  }

  #node(words: readonly string[]): Field<NodesConfNode> {
    const [id, addressText, flagText, masterText, pingText, pongText, epochText, link] =
      words as readonly [string, string, string, string, string, string, string, string];
    if (!isHexId(id)) return wrong('badNodeId', id);
    if (this.#ids.has(id)) return wrong('nodeTwice', id);
    this.#ids.add(id);
    const address = parseAddress(addressText);
    if ('wrong' in address) return address;
    const flags = this.#flags(flagText);
    if ('wrong' in flags) return flags;
    if (masterText !== '-' && !isHexId(masterText)) return wrong('badMasterId', masterText);
    const ping = parseCount(pingText);
    if ('wrong' in ping) return ping;
    const pong = parseCount(pongText);
    if ('wrong' in pong) return pong;
    const configEpoch = parseCount(epochText);
    if ('wrong' in configEpoch) return configEpoch;
    if (link !== 'connected' && link !== 'disconnected') return wrong('badLinkState', link);
    const slots = this.#slots(words.slice(FIELD_COUNT_MIN));
    if ('wrong' in slots) return slots;
    return {
      value: {
        id: nodeId(id),
        ...address.value,
        flags: flags.value,
        masterId: masterText === '-' ? undefined : nodeId(masterText),
        pingSentUnixMs: ping.value,
        pongReceivedUnixMs: pong.value,
        configEpoch: configEpoch.value,
        linkState: link,
        ...slots.value,
      },
    };
  }

  #flags(text: string): Field<readonly NodesConfFlag[]> {
    if (text === 'noflags') return { value: [] };
    const flags: NodesConfFlag[] = [];
    for (const word of text.split(',')) {
      const flag = FLAGS.find((known) => known === word);
      if (flag === undefined) return wrong('unknownFlag', word);
      if (flag === 'myself') {
        if (this.hasMyself) return wrong('secondMyself', text);
        this.hasMyself = true;
      }
      flags.push(flag);
    }
    return { value: flags };
  }

  #slots(
    words: readonly string[],
  ): Field<Pick<NodesConfNode, 'slots' | 'migrating' | 'importing'>> {
    const slots: [number, number][] = [];
    const migrating: { slot: number; to: NodeId }[] = [];
    const importing: { slot: number; from: NodeId }[] = [];
    for (const word of words) {
      const move = /^\[([0-9]{1,5})-([<>])-([0-9a-f]{40})\]$/.exec(word);
      if (move !== null) {
        const slot = Number(move[1]);
        if (slot >= SLOT_COUNT) return wrong('badSlot', word);
        const other = nodeId(move[3]!);
        if (move[2] === '>') migrating.push({ slot, to: other });
        else importing.push({ slot, from: other });
        continue;
      }
      const range = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(word);
      if (range === null) return wrong('badSlot', word);
      const from = Number(range[1]);
      const to = Number(range[2] ?? range[1]);
      if (from > to || to >= SLOT_COUNT) return wrong('badSlot', word);
      if (this.#takenSlots.subarray(from, to + 1).includes(1)) return wrong('slotTwice', word);
      this.#takenSlots.fill(1, from, to + 1);
      slots.push([from, to]);
    }
    return { value: { slots, migrating, importing } };
  }
}

/**
 * `ip:port@busPort[,hostname[,name=value…]]`; an IPv6 address keeps its colons, so the last one counts. Of what 7.2 and later
 * put behind the hostname, the shard id is kept.
 */
function parseAddress(
  text: string,
): Field<Pick<NodesConfNode, 'host' | 'port' | 'busPort' | 'hostname' | 'shardId'>> {
  const [endpoint = '', hostname = '', ...more] = text.split(',');
  const match = /^(.*):([0-9]{1,5})(?:@([0-9]{1,5}))?$/.exec(endpoint);
  if (match === null) return wrong('badAddress', text);
  const port = Number(match[2]);
  const busPort = match[3] === undefined ? port + BUS_PORT_INCREMENT : Number(match[3]);
  if (port > PORT_MAX || busPort > PORT_MAX) return wrong('badAddress', text);
  const shardText = more.find((field) => field.startsWith(SHARD_ID))?.slice(SHARD_ID.length);
  if (shardText !== undefined && !isHexId(shardText)) return wrong('badShardId', shardText);
  return {
    value: {
      host: match[1]!,
      port,
      busPort,
      hostname: hostname === '' ? undefined : hostname,
      ...(shardText === undefined ? {} : { shardId: nodeId(shardText) }),
    },
  };
}

/** A time or an epoch: decimal digits within the safe integers. */
function parseCount(text: string): Field<number> {
  const value = /^[0-9]{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? { value } : wrong('badNumber', text);
}
