/**
 * Who listens to what: channels, patterns and shard channels, and the messages that go to them. Names are text of
 * one character a byte. Messages go out even to a client that turned its replies off, as in Redis.
 */
import { globMatches, keySlot } from '../base/index.ts';
import type { Session, SubscriptionKind } from './session.ts';

type Listeners = Map<string, Set<Session>>;

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
  readonly #channels: Listeners = new Map<string, Set<Session>>();
  readonly #patterns: Listeners = new Map<string, Set<Session>>();
  readonly #shardChannels: Listeners = new Map<string, Set<Session>>();

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
    return this.#listeners(kind).get(name)?.size ?? 0;
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
      const sessions = listeners.get(name);
      if (sessions === undefined) listeners.set(name, new Set([session]));
      else sessions.add(session);
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
      const sessions = this.#channels.get(channel.toString('latin1'));
      for (const session of sessions ?? []) send(session, ['message', channel, message]);
      receivers += sessions?.size ?? 0;
    }
    for (const [pattern, sessions] of this.#patterns) {
      const bytes = Buffer.from(pattern, 'latin1');
      if (!globMatches(bytes, 0, bytes.length, channel, 0, channel.length, false)) continue;
      for (const session of sessions) send(session, ['pmessage', bytes, channel, message]);
      receivers += sessions.size;
    }
    return receivers;
  }

  /** Sends a message to all who listen to a shard channel; returns how many. */
  publishShard(channelName: Buffer | string, messageBytes: Buffer | string): number {
    if (this.#shardChannels.size === 0) return 0;
    const channel = bytesOf(channelName);
    const sessions = this.#shardChannels.get(channel.toString('latin1'));
    const message = bytesOf(messageBytes);
    for (const session of sessions ?? []) send(session, ['smessage', channel, message]);
    return sessions?.size ?? 0;
  }

  /** Ends the shard subscriptions whose slot the node does not serve any more, and tells the clients. */
  dropShardChannels(isServed: (slot: number) => boolean): void {
    for (const [name, sessions] of this.#shardChannels) {
      const bytes = Buffer.from(name, 'latin1');
      if (isServed(keySlot(bytes, 0, bytes.length))) continue;
      for (const session of sessions) this.unsubscribe(session, 'shard', name);
    }
  }

  #listeners(kind: SubscriptionKind): Listeners {
    if (kind === 'channel') return this.#channels;
    return kind === 'pattern' ? this.#patterns : this.#shardChannels;
  }

  #remove(session: Session, kind: SubscriptionKind, name: string): void {
    if (session.subscriptions?.[kind].delete(name) !== true) return;
    session.subscriptionCount--;
    const listeners = this.#listeners(kind);
    const sessions = listeners.get(name);
    sessions?.delete(session);
    if (sessions?.size === 0) listeners.delete(name);
  }
}

function bytesOf(text: Buffer | string): Buffer {
  return typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
}

function send(session: Session, parts: readonly (Buffer | string)[]): void {
  session.reply.message(() => {
    session.reply.push(parts.length);
    for (const part of parts) {
      if (typeof part === 'string') session.reply.bulkText(part);
      else session.reply.bulkBytes(part);
    }
  });
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
