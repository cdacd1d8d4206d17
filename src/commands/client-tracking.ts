/** CLIENT TRACKING, CACHING, GETREDIR and TRACKINGINFO. Source: behaviour of redis-server 7.0.15. */
import type { ReplyWriter, Request } from '../resp/index.ts';
import type { Context } from './context.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from './errors.ts';
import type { Tracking } from './tracking.ts';

interface TrackingOptions {
  redirectId: number;
  isBroadcast: boolean;
  isOptIn: boolean;
  isOptOut: boolean;
  isNoLoop: boolean;
  readonly prefixes: string[];
}

/** CLIENT TRACKING ON|OFF with its options. */
export function clientTracking(context: Context, request: Request, reply: ReplyWriter): void {
  const { server, session } = context;
  const options = readOptions(context, request);
  if (typeof options === 'string') return reply.error(options);
  if (request.is(2, 'off')) {
    server.tracking.stop(session);
    return reply.ok();
  }
  if (!request.is(2, 'on')) return reply.error(ERR_SYNTAX);
  const flaw = combinationFlaw(options, session.tracking);
  if (flaw !== undefined) return reply.error(flaw);
  const before = session.tracking?.prefixes ?? [];
  const wanted = options.isBroadcast && options.prefixes.length === 0 ? [''] : options.prefixes;
  const overlap = overlapFlaw(before, options.prefixes);
  if (overlap !== undefined) return reply.error(overlap);
  server.tracking.start(session, {
    mode: modeOf(options),
    redirectId: options.redirectId,
    isNoLoop: options.isNoLoop,
    prefixes: options.isBroadcast ? [...new Set([...before, ...wanted])].sort() : [],
    caching: undefined,
    isRedirectBroken: false,
  });
  reply.ok();
}

function modeOf(options: TrackingOptions): Tracking['mode'] {
  if (options.isBroadcast) return 'broadcast';
  if (options.isOptIn) return 'optin';
  return options.isOptOut ? 'optout' : 'default';
}

/** The options, or the error. */
function readOptions({ server }: Context, request: Request): TrackingOptions | string {
  const options: TrackingOptions = {
    redirectId: 0,
    isBroadcast: false,
    isOptIn: false,
    isOptOut: false,
    isNoLoop: false,
    prefixes: [],
  };
  for (let i = 3; i < request.argc; i++) {
    const hasValue = i + 1 < request.argc;
    if (request.is(i, 'redirect') && hasValue) {
      if (options.redirectId !== 0) {
        return 'ERR A client can only redirect to a single other client';
      }
      const id = request.int(++i);
      if (typeof id !== 'number') return ERR_NOT_INTEGER;
      if (server.clients.find(id) === undefined) {
        return 'ERR The client ID you want redirect to does not exist';
      }
      options.redirectId = id;
    } else if (request.is(i, 'bcast')) options.isBroadcast = true;
    else if (request.is(i, 'optin')) options.isOptIn = true;
    else if (request.is(i, 'optout')) options.isOptOut = true;
    else if (request.is(i, 'noloop')) options.isNoLoop = true;
    else if (request.is(i, 'prefix') && hasValue) options.prefixes.push(request.text(++i));
    else return ERR_SYNTAX;
  }
  return options;
}

function combinationFlaw(options: TrackingOptions, now: Tracking | undefined): string | undefined {
  if (!options.isBroadcast && options.prefixes.length > 0) {
    return 'ERR PREFIX option requires BCAST mode to be enabled';
  }
  if (now !== undefined && (now.mode === 'broadcast') !== options.isBroadcast) {
    return (
      "ERR You can't switch BCAST mode on/off before disabling tracking for this client, " +
      'and then re-enabling it with a different mode.'
    );
  }
  if (options.isBroadcast && (options.isOptIn || options.isOptOut)) {
    return 'ERR OPTIN and OPTOUT are not compatible with BCAST';
  }
  if (options.isOptIn && options.isOptOut) {
    return "ERR You can't specify both OPTIN mode and OPTOUT mode";
  }
  if ((options.isOptIn && now?.mode === 'optout') || (options.isOptOut && now?.mode === 'optin')) {
    return (
      "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, " +
      'and then re-enabling it with a different mode.'
    );
  }
  return undefined;
}

/** Two prefixes of which one begins with the other would send a message twice. */
function overlapFlaw(before: readonly string[], wanted: readonly string[]): string | undefined {
  for (const [i, prefix] of wanted.entries()) {
    const existing = before.find((old) => overlaps(old, prefix));
    if (existing !== undefined) {
      return `ERR Prefix '${prefix}' overlaps with an existing prefix '${existing}'. Prefixes for a single client must not overlap.`;
    }
    const other = wanted.slice(i + 1).find((next) => overlaps(next, prefix));
    if (other !== undefined) {
      return `ERR Prefix '${prefix}' overlaps with another provided prefix '${other}'. Prefixes for a single client must not overlap.`;
    }
  }
  return undefined;
}

function overlaps(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}

/** CLIENT CACHING YES|NO: turns the rule of OPTIN or OPTOUT for the next command. */
export function clientCaching({ session }: Context, request: Request, reply: ReplyWriter): void {
  const { tracking } = session;
  if (tracking === undefined) {
    return reply.error(
      'ERR CLIENT CACHING can be called only when the client is in tracking mode ' +
        'with OPTIN or OPTOUT mode enabled',
    );
  }
  if (request.is(2, 'yes')) {
    if (tracking.mode !== 'optin') {
      return reply.error(
        'ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.',
      );
    }
    tracking.caching = 'yes';
  } else if (request.is(2, 'no')) {
    if (tracking.mode !== 'optout') {
      return reply.error(
        'ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.',
      );
    }
    tracking.caching = 'no';
  } else return reply.error(ERR_SYNTAX);
  reply.ok();
}

/** CLIENT GETREDIR: -1 without tracking, 0 without redirection. */
export function clientGetRedir({ session }: Context, _request: Request, reply: ReplyWriter): void {
  reply.int(session.tracking?.redirectId ?? -1);
}

/** CLIENT TRACKINGINFO: flags, redirection and prefixes. */
export function clientTrackingInfo(
  { session }: Context,
  _request: Request,
  reply: ReplyWriter,
): void {
  const { tracking } = session;
  const flags = tracking === undefined ? ['off'] : trackingFlags(tracking);
  reply.map(3);
  reply.bulkText('flags');
  reply.set(flags.length);
  for (const flag of flags) reply.bulkText(flag);
  reply.bulkText('redirect');
  reply.int(tracking?.redirectId ?? -1);
  reply.bulkText('prefixes');
  const prefixes = tracking?.prefixes ?? [];
  reply.array(prefixes.length);
  for (const prefix of prefixes) reply.bulkText(prefix);
}

function trackingFlags(tracking: Tracking): string[] {
  const flags = ['on'];
  if (tracking.mode === 'broadcast') flags.push('bcast');
  if (tracking.mode === 'optin' || tracking.mode === 'optout') flags.push(tracking.mode);
  if (tracking.caching !== undefined) flags.push(`caching-${tracking.caching}`);
  if (tracking.isNoLoop) flags.push('noloop');
  if (tracking.isRedirectBroken) flags.push('broken_redirect');
  return flags;
}
