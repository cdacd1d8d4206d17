/** One set of rights: commands, keys and channels that go together. */
import { globMatches } from '../base/index.ts';
import type { AclCatalog } from './catalog.ts';
import { CommandRights } from './command-rights.ts';
import type { RuleFlaw } from './flaws.ts';

/** A key of a call: its bytes and what is done to it. */
export interface KeyUse {
  readonly key: Buffer;
  readonly reads: boolean;
  readonly writes: boolean;
}

/** A channel of a call; a pattern of PSUBSCRIBE must be allowed letter by letter. */
export interface ChannelUse {
  readonly channel: Buffer;
  readonly isPattern: boolean;
}

/** What a call would do. */
export interface AclCall {
  /** Its number in the catalog. */
  readonly command: number;
  /** In lower case; undefined when it has none. */
  readonly firstArgument: string | undefined;
  readonly keys: readonly KeyUse[];
  readonly channels: readonly ChannelUse[];
}

/** Why a call is denied: `index` is that of the key or channel. */
export type Denial =
  | { readonly reason: 'command' }
  | { readonly reason: 'key'; readonly index: number }
  | { readonly reason: 'channel'; readonly index: number };

interface KeyPattern {
  readonly pattern: Buffer;
  reads: boolean;
  writes: boolean;
}

const STAR = Buffer.from('*');
/** `%R~`, `%RW~`: flags and what follows the tilde. */
const FLAGGED_PATTERN = /^%([RW]*)(?:~([^]*))?$/i;

export class Selector {
  readonly #commands: CommandRights;
  #keys: KeyPattern[] = [];
  #hasAllKeys = false;
  #channels: Buffer[] = [];
  #hasAllChannels: boolean;

  /** Without any right but, if so, to all channels. */
  constructor(
    catalog: AclCatalog,
    hasAllChannels: boolean,
    commands: CommandRights = new CommandRights(catalog),
  ) {
    this.#commands = commands;
    this.#hasAllChannels = hasAllChannels;
  }

  copy(catalog: AclCatalog): Selector {
    const copy = new Selector(catalog, this.#hasAllChannels, this.#commands.copy());
    copy.#keys = this.#keys.map((each) => ({ ...each }));
    copy.#hasAllKeys = this.#hasAllKeys;
    copy.#channels = [...this.#channels];
    return copy;
  }

  get isUnrestricted(): boolean {
    return this.#hasAllKeys && this.#hasAllChannels && this.#commands.isAll;
  }

  get hasAllChannels(): boolean {
    return this.#hasAllChannels;
  }

  /** Whether every key may be read, as SORT's BY and GET need. */
  get readsAllKeys(): boolean {
    return (
      this.#hasAllKeys || this.#keys.some(({ pattern, reads }) => reads && pattern.equals(STAR))
    );
  }

  /** Carries out one rule; why it cannot, if so. */
  apply(rule: string): RuleFlaw | undefined {
    switch (rule.toLowerCase()) {
      case 'allkeys':
      case '~*':
        this.#hasAllKeys = true;
        this.#keys = [];
        return undefined;
      case 'resetkeys':
        this.#hasAllKeys = false;
        this.#keys = [];
        return undefined;
      case 'allchannels':
      case '&*':
        this.#hasAllChannels = true;
        this.#channels = [];
        return undefined;
      case 'resetchannels':
        this.#hasAllChannels = false;
        this.#channels = [];
        return undefined;
      case 'allcommands':
        this.#commands.setAll(true);
        return undefined;
      case 'nocommands':
        this.#commands.setAll(false);
        return undefined;
      default:
        return this.#applySigned(rule);
    }
  }

  /** Why the selector does not allow a call; undefined when it does. */
  denial(call: AclCall): Denial | undefined {
    const { command, firstArgument, keys, channels } = call;
    const mayRun =
      this.#commands.allows(command) ||
      (firstArgument !== undefined &&
        this.#commands.firstArguments(command).includes(firstArgument));
    if (!mayRun) return { reason: 'command' };
    if (!this.#hasAllKeys) {
      const index = keys.findIndex((use) => !this.#allowsKey(use));
      if (index >= 0) return { reason: 'key', index };
    }
    if (!this.#hasAllChannels) {
      const index = channels.findIndex((use) => !this.allowsChannel(use));
      if (index >= 0) return { reason: 'channel', index };
    }
    return undefined;
  }

  allowsChannel({ channel, isPattern }: ChannelUse): boolean {
    if (this.#hasAllChannels) return true;
    return this.#channels.some((allowed) =>
      isPattern ? allowed.equals(channel) : matches(allowed, channel),
    );
  }

  keysText(): string {
    return this.#hasAllKeys ? '~*' : this.#keys.map(keyPatternText).join(' ');
  }

  channelsText(): string {
    if (this.#hasAllChannels) return '&*';
    return this.#channels.map((channel) => `&${channel.toString('latin1')}`).join(' ');
  }

  commandsText(): string {
    return this.#commands.text();
  }

  /** All rules in one line, as ACL LIST has them. */
  text(): string {
    const channels = this.channelsText();
    const start = this.#hasAllChannels ? [] : ['resetchannels'];
    return [this.keysText(), ...start, channels, this.commandsText()].filter(Boolean).join(' ');
  }

  #applySigned(rule: string): RuleFlaw | undefined {
    const rest = rule.slice(1);
    switch (rule[0]) {
      case '+':
        return this.#commands.change(rest, true);
      case '-':
        return this.#commands.change(rest, false);
      case '~':
        return this.#addKeys(rest, true, true);
      case '%': {
        if (this.#hasAllKeys) return 'keysAfterAll';
        const [, flags = '', pattern = ''] = FLAGGED_PATTERN.exec(rule) ?? [];
        const letters = flags.toUpperCase();
        const isSound = letters !== '' && new Set(letters).size === letters.length;
        if (!isSound) return 'syntax';
        return this.#addKeys(pattern, letters.includes('R'), letters.includes('W'));
      }
      case '&':
        return this.#addChannel(rest);
      default:
        return 'syntax';
    }
  }

  #addKeys(text: string, reads: boolean, writes: boolean): RuleFlaw | undefined {
    if (this.#hasAllKeys) return 'keysAfterAll';
    if (hasSpace(text)) return 'syntax';
    const pattern = Buffer.from(text, 'latin1');
    const known = this.#keys.find((each) => each.pattern.equals(pattern));
    if (known === undefined) {
      this.#keys.push({ pattern, reads, writes });
    } else {
      known.reads ||= reads;
      known.writes ||= writes;
    }
    return undefined;
  }

  #addChannel(text: string): RuleFlaw | undefined {
    if (this.#hasAllChannels) return 'channelsAfterAll';
    if (hasSpace(text)) return 'syntax';
    const channel = Buffer.from(text, 'latin1');
    if (!this.#channels.some((each) => each.equals(channel))) this.#channels.push(channel);
    return undefined;
  }

  #allowsKey({ key, reads, writes }: KeyUse): boolean {
    return this.#keys.some(
      (each) => (each.reads || !reads) && (each.writes || !writes) && matches(each.pattern, key),
    );
  }
}

/** Blanks and the zero byte stand in no pattern and no name. */
export function hasSpace(text: string): boolean {
  return /[\s\0]/.test(text);
}

function matches(pattern: Buffer, text: Buffer): boolean {
  return globMatches(pattern, 0, pattern.length, text, 0, text.length, false);
}

function keyPatternText({ pattern, reads, writes }: KeyPattern): string {
  const text = pattern.toString('latin1');
  if (reads && writes) return `~${text}`;
  return `%${reads ? 'R' : 'W'}~${text}`;
}
