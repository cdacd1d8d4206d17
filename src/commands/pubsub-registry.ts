/**
 * Who listens to what: channels, patterns and shard channels, and the messages that go to them. Names are text of
 * one character a byte. Messages go out even to a client that turned its replies off, as in Redis.
 */
import { globMatches, keySlot } from '../base/index.ts';
import { REPLY_BUFFER_BYTES, ReplyBufferPool, ReplyWriter } from '../resp/index.ts';
import type { Session, SubscriptionKind } from './session.ts';

/** Who listens to one name. */
interface Audience {
  readonly name: Buffer;
  readonly sessions: Set<Session>;
}

type Listeners = Map<string, Audience>;

const SUBSCRIBED: Readonly<Record<SubscriptionKind, string>> = {
  channel: 'subscribe',
  pattern: 'psubscribe',
  shard: 'ssubscribe',
};

const UNSUBSCRIBED: Readonly<Record<SubscriptionKind, string>> = {
  channel: 'unsubscribe',
  pattern: 'punsubscribe',
  shard: 'sunsubscribe',
};

/** The subscriptions of a node. */
export class PubSub {
  readonly #channels: Listeners = new Map<string, Audience>();
  readonly #patterns: Listeners = new Map<string, Audience>();
  readonly #shardChannels: Listeners = new Map<string, Audience>();

  readonly #frame: Frame = new Frame();

  /** Names with at least one listener. */
  names(kind: SubscriptionKind): Iterable<string> {
    return this.#listeners(kind).keys();
  }

  /** How many names of a kind have listeners. */
  size(kind: SubscriptionKind): number {
    return this.#listeners(kind).size;
  }

  /** How many clients listen to a name. */
  listenerCount(kind: SubscriptionKind, name: string): number {
    return this.#listeners(kind).get(name)?.sessions.size ?? 0;
  }

  /** Adds a subscription, if it is new, and tells the client. */
  subscribe(session: Session, kind: SubscriptionKind, name: string): void {
    const own = (session.subscriptions ??= {
      channel: new Set(),
      pattern: new Set(),
      shard: new Set(),
    });
    if (!own[kind].has(name)) {
      own[kind].add(name);
      session.subscriptionCount++;
      const listeners = this.#listeners(kind);
      const audience = listeners.get(name);
      if (audience !== undefined) audience.sessions.add(session);
      else listeners.set(name, { name: bytesOf(name), sessions: new Set([session]) });
    }
    tellSubscription(session, SUBSCRIBED[kind], name, kind);
  }

  /** Ends a subscription, if there is one, and tells the client either way. */
  unsubscribe(session: Session, kind: SubscriptionKind, name: string): void {
    this.#remove(session, kind, name);
    tellSubscription(session, UNSUBSCRIBED[kind], name, kind);
  }

  /** Ends all subscriptions of a kind and tells the client of each, or once that there was none. */
  unsubscribeAll(session: Session, kind: SubscriptionKind): void {
    const own = session.names(kind);
    if (own.size === 0) return tellSubscription(session, UNSUBSCRIBED[kind], undefined, kind);
    for (const name of own) this.unsubscribe(session, kind, name);
  }

  /** The client is gone, or starts anew: ends all its subscriptions in silence. */
  forget(session: Session): void {
    if (session.subscriptions === undefined) return;
    for (const kind of ['channel', 'pattern', 'shard'] as const) {
      for (const name of session.names(kind)) this.#remove(session, kind, name);
    }
  }

  /** Sends a message to all who listen to the channel or to a pattern that matches it; returns how many. */
  publish(channelName: Buffer | string, messageBytes: Buffer | string): number {
    if (this.#channels.size === 0 && this.#patterns.size === 0) return 0;
    const channel = bytesOf(channelName);
    const message = bytesOf(messageBytes);
    let receivers = 0;
    if (this.#channels.size > 0) {
      const audience = this.#channels.get(channel.toString('latin1'));
      receivers += this.#send(audience, ['message', channel, message]);
    }
    for (const audience of this.#patterns.values()) {
      const { name } = audience;
      if (!globMatches(name, 0, name.length, channel, 0, channel.length, false)) continue;
      receivers += this.#send(audience, ['pmessage', name, channel, message]);
    }
    return receivers;
  }

  /** Sends a message to all who listen to a shard channel; returns how many. */
  publishShard(channelName: Buffer | string, messageBytes: Buffer | string): number {
    if (this.#shardChannels.size === 0) return 0;
    const channel = bytesOf(channelName);
    const audience = this.#shardChannels.get(channel.toString('latin1'));
    return this.#send(audience, ['smessage', channel, bytesOf(messageBytes)]);
  }

  /** Ends the shard subscriptions whose slot the node does not serve any more, and tells the clients. */
  dropShardChannels(isServed: (slot: number) => boolean): void {
    for (const [text, { name, sessions }] of this.#shardChannels) {
      if (isServed(keySlot(name, 0, name.length))) continue;
      for (const session of sessions) this.unsubscribe(session, 'shard', text);
    }
  }

  /** How many they are. */
  #send(audience: Audience | undefined, parts: readonly (Buffer | string)[]): number {
    if (audience === undefined) return 0;
    const { sessions } = audience;
    if (sessions.size === 1) {
      for (const { reply } of sessions) reply.message(() => writeParts(reply, parts));
      return 1;
    }
    this.#frame.begin(parts);
    for (const session of sessions) this.#frame.sendTo(session);
    return sessions.size;
  }

  #listeners(kind: SubscriptionKind): Listeners {
    if (kind === 'channel') return this.#channels;
    return kind === 'pattern' ? this.#patterns : this.#shardChannels;
  }

  #remove(session: Session, kind: SubscriptionKind, name: string): void {
    if (session.subscriptions?.[kind].delete(name) !== true) return;
    session.subscriptionCount--;
    const listeners = this.#listeners(kind);
    const sessions = listeners.get(name)?.sessions;
    sessions?.delete(session);
    if (sessions?.size === 0) listeners.delete(name);
  }
}

/** One message, written once for all who get it in the same version of the protocol. */
class Frame {
  readonly #writers: Readonly<Record<2 | 3, ReplyWriter>>;
  #parts: readonly (Buffer | string)[] = [];

  constructor() {
    const pool = new ReplyBufferPool();
    this.#writers = { 2: new ReplyWriter(pool, ignore), 3: new ReplyWriter(pool, ignore) };
    this.#writers[3].resp = 3;
  }

  begin(parts: readonly (Buffer | string)[]): void {
    this.#parts = parts;
    rewind(this.#writers[2]);
    rewind(this.#writers[3]);
  }

  sendTo({ reply }: Session): void {
    const writer = this.#writers[reply.resp];
    if (writer.length === 0) writeParts(writer, this.#parts);
    reply.writtenMessage(writer.pending, writer.length);
  }
}

/** Forgets what was written; the buffer stays, unless it is large. */
function rewind(writer: ReplyWriter): void {
  if (writer.pending.length > REPLY_BUFFER_BYTES) writer.clear();
  else writer.truncate(0);
}

function writeParts(writer: ReplyWriter, parts: readonly (Buffer | string)[]): void {
  writer.push(parts.length);
  for (const part of parts) {
    if (typeof part === 'string') writer.bulkText(part);
    else writer.bulkBytes(part);
  }
}

function ignore(): void {}

function bytesOf(text: Buffer | string): Buffer {
  return typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
}

function tellSubscription(
  session: Session,
  what: string,
  name: string | undefined,
  kind: SubscriptionKind,
): void {
  const { reply } = session;
  reply.message(() => {
    reply.push(3);
    reply.bulkText(what);
    if (name === undefined) reply.nullBulk();
    else reply.bulkText(name);
    reply.int(
      kind === 'shard'
        ? session.names(kind).size
        : session.names('channel').size + session.names('pattern').size,
    );
  });
}
