/** Publish and subscribe. Every channel of SUBSCRIBE and its kin is answered by itself. */
import { globMatches } from '../base/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { unknownUse } from './errors.ts';
import { PUBSUB_FACTS } from './facts/pubsub.ts';
import { defineCommands } from './facts.ts';
import { helpHandler } from './help.ts';
import { HELLO_CHANNEL } from '../sentinel/index.ts';
import type { SubscriptionKind } from './session.ts';
import type { SentinelService } from './server.ts';
import type { CommandSpec, Handler } from './spec.ts';

function subscriber(kind: SubscriptionKind): Handler {
  return ({ server, session }, request) => {
    for (let i = 1; i < request.argc; i++) server.pubsub.subscribe(session, kind, request.text(i));
  };
}

/** Unlike the others not within a transaction: clients that may not block are refused here. */
function shardSubscriber(subscribe: Handler): Handler {
  return (context, request, reply) => {
    if (context.session.queue === undefined) return subscribe(context, request, reply);
    return reply.error("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
  };
}

function unsubscriber(kind: SubscriptionKind): Handler {
  return ({ server, session }, request) => {
    if (request.argc === 1) return server.pubsub.unsubscribeAll(session, kind);
    for (let i = 1; i < request.argc; i++)
      server.pubsub.unsubscribe(session, kind, request.text(i));
  };
}

function publish(context: Context, request: Request, reply: ReplyWriter): void {
  const { server } = context;
  if (server.sentinel !== undefined) return publishHello(server.sentinel, request, reply);
  const channel = request.bytes(1);
  const message = request.bytes(2);
  const receivers = server.pubsub.publish(channel, message);
  if (server.cluster === undefined) context.forcePropagation();
  else server.cluster.publish(channel, message, false);
  reply.int(receivers);
}

/** Sentinels tell each other of themselves, whoever publishes for them. */
function publishHello(service: SentinelService, request: Request, reply: ReplyWriter): void {
  if (request.text(1) !== HELLO_CHANNEL) {
    return reply.error('ERR Only HELLO messages are accepted by Sentinel instances.');
  }
  service.hello(request.text(2));
  reply.int(1);
}

function publishShard(context: Context, request: Request, reply: ReplyWriter): void {
  const { server } = context;
  const channel = request.bytes(1);
  const message = request.bytes(2);
  const receivers = server.pubsub.publishShard(channel, message);
  if (server.cluster === undefined) context.forcePropagation();
  else server.cluster.publish(channel, message, true);
  reply.int(receivers);
}

function lister(kind: SubscriptionKind): Handler {
  return ({ server }, request, reply) => {
    if (request.argc > 3) return reply.error(unknownUse(request.text(1), 'PUBSUB'));
    let names = [...server.pubsub.names(kind)];
    if (request.argc > 2) {
      const pattern = request.bytes(2);
      names = names.filter((name) => {
        const bytes = Buffer.from(name, 'latin1');
        return globMatches(pattern, 0, pattern.length, bytes, 0, bytes.length, false);
      });
    }
    reply.array(names.length);
    for (const name of names) reply.bulkText(name);
  };
}

function counter(kind: SubscriptionKind): Handler {
  return ({ server }, request, reply) => {
    reply.array((request.argc - 2) * 2);
    for (let i = 2; i < request.argc; i++) {
      reply.bulk(request.buf, request.at[i]!, request.size[i]!);
      reply.int(server.pubsub.listenerCount(kind, request.text(i)));
    }
  };
}

/** PUBLISH, PUBSUB, SPUBLISH and the commands that begin and end subscriptions. */
export const pubsubCommands: readonly CommandSpec[] = defineCommands(PUBSUB_FACTS, {
  psubscribe: subscriber('pattern'),
  publish,
  'pubsub|channels': lister('channel'),
  'pubsub|help': helpHandler('pubsub'),
  'pubsub|numpat': ({ server }, _request, reply) => reply.int(server.pubsub.size('pattern')),
  'pubsub|numsub': counter('channel'),
  'pubsub|shardchannels': lister('shard'),
  'pubsub|shardnumsub': counter('shard'),
  punsubscribe: unsubscriber('pattern'),
  spublish: publishShard,
  ssubscribe: shardSubscriber(subscriber('shard')),
  subscribe: subscriber('channel'),
  sunsubscribe: unsubscriber('shard'),
  unsubscribe: unsubscriber('channel'),
});
