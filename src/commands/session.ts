/** One client as commands see it: who it is, what it selected, its transaction and subscriptions. */
import type { User } from '../acl/index.ts';
import type { MonoMs } from '../base/index.ts';
import type { ReplyWriter } from '../resp/index.ts';
import type { Command } from './table.ts';
import type { Tracking } from './tracking.ts';

/** The three kinds of subscription. */
export type SubscriptionKind = 'channel' | 'pattern' | 'shard';

const NO_NAMES: ReadonlySet<string> = new Set<string>();

/** A command that waits for one of its keys. */
export interface BlockedOnKeys {
  readonly kind: 'keys';
  /** Type number of the keys that could serve it. */
  readonly type: number;
  readonly deadline: MonoMs | undefined;
  readonly command: Command;
  /** The request in canonical array form. */
  readonly bytes: Buffer;
  /** Its different keys, with the index of the argument where each stands first. */
  readonly keys: readonly AwaitedKey[];
}

export interface AwaitedKey {
  readonly key: Buffer;
  readonly argument: number;
}

/** Why a client's requests wait. */
export type Blocked =
  | {
      readonly kind: 'wait';
      readonly replOffset: number;
      readonly replicas: number;
      readonly deadline: MonoMs | undefined;
    }
  /** A command that waits for keys (BLPOP, XREAD…): it is run again when one may serve it. */
  | BlockedOnKeys
  /** CLIENT PAUSE, or a manual failover: the request is run again when the pause ends. */
  | { readonly kind: 'pause' }
  /** Work outside that ends by itself, such as MIGRATE; `cancel` ends it early. */
  | { readonly kind: 'outside'; readonly deadline: MonoMs | undefined };

export interface QueuedCommand {
  readonly command: Command;
  /** Of the command; of a script, its own. */
  readonly flags: number;
  /** The request in canonical array form. */
  readonly bytes: Buffer;
}

/**
 * `master`: the link to our master, whose commands need no checks. `replica`: it follows our stream. `source`: it sends
 * the keys of slots that move here. `script`: no connection, but as whom a script runs its commands.
 */
export type SessionRole = 'normal' | 'master' | 'replica' | 'source' | 'script';

const nothing = (): number => 0;

/** State of one client connection. The node's client adds the socket. */
/** Scripts are debugged on the server's own data, or on a copy that is lost afterwards. */
export type ScriptDebugging = 'no' | 'sync' | 'onCopy';

/** Where what a client sends goes instead of being run. */
export interface InputTap {
  /** The bytes are the tap's to keep. */
  take(bytes: Buffer): void;
  /** The connection has ended. */
  closed(): void;
}

export abstract class Session {
  readonly id: number;
  readonly reply: ReplyWriter;
  /** `ip:port`, `/path:0` for a unix socket. */
  readonly address: string;
  readonly localAddress: string;
  readonly createdAt: MonoMs;
  lastInteractionAt: MonoMs;
  role: SessionRole = 'normal';
  name = '';
  /** Who it is; the default user until it says who. */
  user: User;
  isAuthenticated = false;
  /** Whether its connection is encrypted. */
  isTls = false;
  dbIndex = 0;
  /** The latest it asked for, whether it ran or not; undefined for one that there is not. */
  lastCommand: Command | undefined;
  /** Queued commands between MULTI and EXEC. */
  queue: QueuedCommand[] | undefined;
  queueBytes = 0;
  /** A queued command was refused: EXEC will answer EXECABORT. */
  isQueueBroken = false;
  /** A watched key changed: EXEC will answer with nothing. */
  isWatchBroken = false;
  /** Keys that it watches. */
  watchedCount = 0;
  /** ASKING was the previous command. */
  isAsking = false;
  /** READONLY: a cluster replica may serve reads. */
  isReadonly = false;
  isMonitor = false;
  isNoEvict = false;
  /** CLIENT REPLY SKIP: 'next' before the skipped command, 'now' during it. */
  replySkip: 'none' | 'next' | 'now' = 'none';
  isReplyOff = false;
  blocked: Blocked | undefined;
  /** Replication offset just after this client's last write; WAIT waits for it. 0 while it wrote nothing. */
  writeOffset = 0;
  /** SCRIPT DEBUG: what becomes of the scripts that it calls. */
  debugging: ScriptDebugging = 'no';
  /** Takes all that the client sends, past any commands, while a script of its is debugged. */
  tap: InputTap | undefined;
  /** CLIENT TRACKING; undefined while off. */
  tracking: Tracking | undefined;
  /** What it listens to, and how many names there are; kept by `PubSub`. Undefined until the first. */
  subscriptions: Readonly<Record<SubscriptionKind, Set<string>>> | undefined;
  subscriptionCount = 0;

  protected constructor(init: {
    readonly id: number;
    readonly reply: ReplyWriter;
    readonly address: string;
    readonly localAddress: string;
    readonly now: MonoMs;
    readonly user: User;
  }) {
    this.id = init.id;
    this.reply = init.reply;
    this.address = init.address;
    this.localAddress = init.localAddress;
    this.createdAt = init.now;
    this.lastInteractionAt = init.now;
    this.user = init.user;
  }

  /** Whether the client is in no state in which some commands are refused, queued or answered otherwise. */
  get isPlain(): boolean {
    return (
      this.isAuthenticated &&
      this.user.isUnrestricted &&
      this.role === 'normal' &&
      this.queue === undefined &&
      this.subscriptionCount === 0 &&
      this.replySkip === 'none' &&
      !this.isMonitor &&
      !this.isAsking
    );
  }

  /** Channels or patterns that it listens to. */
  names(kind: SubscriptionKind): ReadonlySet<string> {
    return this.subscriptions?.[kind] ?? NO_NAMES;
  }

  /** Whether RESP2 allows this client only the commands of subscribers. */
  get isSubscriber(): boolean {
    return this.subscriptionCount > 0;
  }

  /** Bytes received and not yet run, of `inputCapacity` reserved. */
  abstract get inputBytes(): number;
  abstract get inputCapacity(): number;
  /** Of them those of an unfinished request that are understood, and what its whole arguments take. */
  get understoodBytes(): number {
    return 0;
  }

  get argumentBytes(): number {
    return 0;
  }

  /** Reply bytes that the system has not taken. */
  abstract get outputBytes(): number;
  /** For a replica: bytes of the stream that wait for it in the backlog. */
  unsentBytes: () => number = nothing;
  abstract get fd(): number;
  /** Ends the connection once what was written is out. */
  abstract closeAfterReply(): void;
  /** Ends the connection now. */
  abstract close(): void;
}
