/**
 * The Sentinel machine: inputs in, effects out. Only dispatches; the rules are in the files beside it.
 * `redis-sentinel` does all this in a timer; here every event has its consequences at once.
 */
import { type MonoMs, addMs, assertNever, earlier } from '../base/index.ts';
import type { SentinelConf } from '../config/index.ts';
import { type Reply, ReplyError } from '../resp/index.ts';
import { isCalm } from './calm.ts';
import { exportConf, importMaster } from './conf.ts';
import { type ContextInit, SentinelContext } from './context.ts';
import { askOpinions, checkOdown, checkSdown } from './down.ts';
import type { Effect } from './effects.ts';
import { advanceFailover, handoverAnswered, startIfNeeded } from './failover.ts';
import { helloReceived } from './hello.ts';
import { infoReceived, roleAnswered } from './info.ts';
import type { Input } from './inputs.ts';
import {
  HELLO_CHANNEL,
  closeConnection,
  connectionClosed,
  connectionOpened,
  reconnect,
  request,
} from './links.ts';
import { nextPeriodicAt, sendPeriodic } from './monitoring.ts';
import { runScripts, scriptEnded } from './scripts.ts';
import type { Connection, Expected, Instance, Link, Master, Now } from './types.ts';
import { opinionReceived } from './votes.ts';

/**
 * Time between two looks at everything, a part of it by chance: Sentinels that all saw a master go must not all find it
 * SDOWN at the same moment, or each would vote for itself.
 */
const TICK_MS = 50;
/** The same while all is well, and whatever happens will be heard of in time. */
const CALM_TICK_MS = 200;
const TICK_SPREAD_MS = 50;
export class SentinelMachine {
  readonly context: SentinelContext;
  #tickAt: MonoMs;
  /** When something has to be sent by itself, as far as is known. */
  #sendAt: MonoMs;
  #lastTickUnix: number | undefined;

  constructor(init: Omit<ContextInit, 'settings' | 'myId' | 'currentEpoch'>, conf: SentinelConf) {
    const { settings, myId, currentEpoch } = conf;
    const c = new SentinelContext({ ...init, settings, myId, currentEpoch });
    this.context = c;
    this.#tickAt = init.now.mono;
    this.#sendAt = init.now.mono;
    for (const master of conf.masters) importMaster(c, master);
    if (myId === undefined) c.save();
  }

  /** Tells what is watched; call it once, before the first step. */
  begin(now: Now): readonly Effect[] {
    return this.act(now, (c) => {
      c.log('warning', `Sentinel ID is ${c.myId}`);
      for (const master of c.masters.values()) {
        c.event('warning', '+monitor', master, ` quorum ${master.settings.quorum}`);
      }
    });
  }

  /** Takes one input. Carry out the effects in order, each before the next. A late or needless tick does no harm. */
  step(now: Now, input: Input): readonly Effect[] {
    return this.act(now, (c) => this.#apply(c, input));
  }

  /** Runs an operator's command, which may change the context; the effects come before the reply. */
  act(now: Now, change: (c: SentinelContext) => void): readonly Effect[] {
    const c = this.context;
    c.now = now;
    change(c);
    if (c.isRestless) this.#tickAt = earlier(this.#tickAt, this.#nextTick(c));
    c.isRestless = false;
    return c.takeEffects(() => ({ kind: 'save', conf: exportConf(c) }));
  }

  nextWake(): MonoMs {
    return earlier(earlier(this.#tickAt, this.#sendAt), this.context.wakeAt);
  }

  #apply(c: SentinelContext, input: Input): void {
    switch (input.kind) {
      case 'tick':
        return this.#tick(c);
      case 'opened':
        c.isRestless = true;
        return withConnection(c, input.connection, (connection) =>
          connectionOpened(c, connection, input.localIp),
        );
      case 'closed':
        c.isRestless = true;
        return withConnection(c, input.connection, (connection) => connectionClosed(c, connection));
      case 'reply':
        return withConnection(c, input.connection, (connection) =>
          replied(c, connection, input.reply),
        );
      case 'hello':
        return helloReceived(c, input.message);
      case 'resolved':
        if (input.ip !== undefined) c.resolved.set(input.host, input.ip);
        return;
      case 'scriptEnded':
        return scriptEnded(c, input.id, input.exitCode);
      case 'saveFailed':
        c.isUnsaved = true;
        return;
      default:
        return assertNever(input);
    }
  }

  #tick(c: SentinelContext): void {
    if (c.now.mono >= this.#sendAt) this.#sendDue(c);
    const isAwaited = c.wakeAt !== undefined && c.now.mono >= c.wakeAt;
    if (isAwaited) c.wakeAt = undefined;
    if (c.now.mono < this.#tickAt) {
      if (isAwaited) for (const master of c.masters.values()) lookFurther(c, master);
      return;
    }
    checkTilt(c, this.#lastTickUnix);
    this.#lastTickUnix = c.now.unix;
    if (c.isUnsaved || (c.saveBy !== undefined && c.now.mono >= c.saveBy)) c.save();
    for (const master of c.masters.values()) {
      look(c, master);
      lookFurther(c, master);
      for (const replica of master.replicas.values()) look(c, replica);
      for (const peer of master.sentinels.values()) look(c, peer);
    }
    runScripts(c);
    if (c.scripts.length > 0) c.isRestless = true;
    this.#tickAt = addMs(this.#nextTick(c), c.isRestless ? 0 : CALM_TICK_MS - TICK_MS);
  }

  #nextTick(c: SentinelContext): MonoMs {
    return addMs(c.now.mono, TICK_MS + c.rng.below(TICK_SPREAD_MS));
  }

  #sendDue(c: SentinelContext): void {
    // Whatever is due sooner, because it is new, has its turn with the next look.
    let next = addMs(c.now.mono, c.periods.ping);
    for (const instance of c.instances()) {
      if (isDue(c, nextPeriodicAt(instance))) sendPeriodic(c, instance);
      const at = nextPeriodicAt(instance);
      if (!isDue(c, at)) next = earlier(next, at);
    }
    this.#sendAt = next;
  }
}

function isDue(c: SentinelContext, at: MonoMs | undefined): boolean {
  return at !== undefined && at <= c.now.mono;
}

/** Keeps an instance connected, asks it what is due, and sees whether it is SDOWN. */
function look(c: SentinelContext, instance: Instance): void {
  reconnect(c, instance);
  sendPeriodic(c, instance);
  if (!c.isTilted) checkSdown(c, instance);
  if (!isCalm(c, instance)) c.isRestless = true;
}

/** What follows from the state of a master. */
function lookFurther(c: SentinelContext, master: Master): void {
  if (c.isTilted) return;
  checkOdown(c, master);
  if (startIfNeeded(c, master)) askOpinions(c, master, true);
  advanceFailover(c, master);
  askOpinions(c, master, false);
}

/** When the clock jumped or we slept, nothing that was measured can be trusted for a while. */
function checkTilt(c: SentinelContext, lastUnix: number | undefined): void {
  const jumpMs = lastUnix === undefined ? 0 : c.now.unix - lastUnix;
  if (jumpMs < 0 || jumpMs > c.periods.tiltTrigger) {
    c.tiltSince = c.now.mono;
    c.tell('warning', '+tilt', '#tilt mode entered');
    return;
  }
  if (c.tiltSince === undefined || c.since(c.tiltSince) < c.periods.tilt) return;
  c.tiltSince = undefined;
  c.tell('warning', '-tilt', '#tilt mode exited');
}

function withConnection(
  c: SentinelContext,
  id: Connection['id'],
  act: (connection: Connection) => void,
): void {
  const connection = c.connections.get(id);
  if (connection !== undefined) act(connection);
}

function replied(c: SentinelContext, connection: Connection, reply: Reply): void {
  const { link } = connection;
  if (connection.kind === 'pubsub') {
    link.lastPubsubAt = c.now.mono;
    const message = messageOf(reply);
    if (message !== undefined) return helloReceived(c, message);
  }
  const expected = connection.expected.shift();
  if (expected === undefined) return;
  if (expected.kind === 'subscription') {
    // Without it the connection is of no use: a wrong password, mostly.
    if (reply instanceof ReplyError) closeConnection(c, connection);
    return;
  }
  answered(c, link, expected, reply);
}

const HELLO_CHANNEL_BYTES = Buffer.from(HELLO_CHANNEL);
const MESSAGE = Buffer.from('message');

/** The text of a message on the hello channel; undefined for any other reply. */
function messageOf(reply: Reply): string | undefined {
  if (!Array.isArray(reply) || reply.length !== 3) return undefined;
  const [kind, channel, text] = reply as readonly Reply[];
  const isHello = isBytes(kind, MESSAGE) && isBytes(channel, HELLO_CHANNEL_BYTES);
  return isHello && Buffer.isBuffer(text) ? text.toString('latin1') : undefined;
}

function isBytes(reply: Reply | undefined, bytes: Buffer): boolean {
  return Buffer.isBuffer(reply) && reply.equals(bytes);
}

function answered(
  c: SentinelContext,
  link: Link,
  expected: Exclude<Expected, { readonly kind: 'subscription' }>,
  reply: Reply,
): void {
  switch (expected.kind) {
    case 'nothing':
      return;
    case 'ping':
      return pingAnswered(c, expected.instance, reply);
    case 'info':
      // An instance that was forgotten meanwhile has another link, or none.
      if (expected.node.link !== link || !Buffer.isBuffer(reply)) return;
      infoReceived(c, expected.node, reply.toString('latin1'));
      return lookFurther(c, expected.node.role === 'master' ? expected.node : expected.node.master);
    case 'opinion':
      opinionReceived(c, expected.peer, reply);
      return lookFurther(c, expected.peer.master);
    case 'handover':
      return handoverAnswered(c, expected.master, reply);
    case 'role':
      return roleAnswered(c, expected.rival, reply);
    default:
      return assertNever(expected);
  }
}

/** These answers too say that the instance works. */
const FINE = /^(?:PONG|LOADING|MASTERDOWN)/;

function pingAnswered(c: SentinelContext, instance: Instance, reply: Reply): void {
  const { link } = instance;
  const text = reply instanceof ReplyError ? reply.message : typeof reply === 'string' ? reply : '';
  link.lastPongAt = c.now.mono;
  if (FINE.test(text)) {
    link.lastAvailableAt = c.now.mono;
    link.unansweredSince = undefined;
    if (instance.role === 'master' && text.startsWith('PONG')) instance.rebootedAt = undefined;
  } else if (
    text.startsWith('BUSY') &&
    instance.role !== 'sentinel' &&
    instance.sdownSince !== undefined &&
    !instance.isScriptKillSent
  ) {
    // A script that never ends is no reason for a failover if it can be ended.
    request(c, instance, ['SCRIPT', 'KILL']);
    instance.isScriptKillSent = true;
  }
}
