/** SENTINEL: what operators, clients and other Sentinels ask of a Sentinel. Only Sentinels have it. */
import { NOT_INTEGER, globMatches, invariant } from '../base/index.ts';
import type { ReplyWriter, Request } from '../resp/index.ts';
import {
  type CrashPoint,
  GLOBAL_OPTIONS,
  type Master,
  PERIOD_NAMES,
  currentAddress,
  failoverByOperator,
  globalOption,
  masterAt,
  monitor,
  quorumReport,
  remove,
  reset,
  setGlobalOption,
  setOptions,
  setPeriods,
  vote,
} from '../sentinel/index.ts';
import type { Context } from './context.ts';
import { ERR_NOT_INTEGER, ERR_SYNTAX } from './errors.ts';
import { SENTINEL_FACTS } from './facts/sentinel.ts';
import { defineCommands } from './facts.ts';
import { helpHandler } from './help.ts';
import { writeInstance, writeInstances } from './sentinel-views.ts';
import type { SentinelService } from './server.ts';
import type { CommandSpec, Handler } from './spec.ts';

const NO_MASTER = 'ERR No such master with that name';
const ONLY_CONFIG = 'ERR Only SENTINEL CONFIG GET <option> / SET <option> <value> are supported.';
const CRASH_POINTS: readonly CrashPoint[] = ['crash-after-election', 'crash-after-promotion'];

type Run = (service: SentinelService, request: Request, reply: ReplyWriter) => void;

/** Only Sentinels have these commands, so there is one. */
function handler(run: Run): Handler {
  return ({ server }: Context, request, reply) => {
    invariant(server.sentinel !== undefined, 'SENTINEL is a command of Sentinels');
    run(server.sentinel, request, reply);
  };
}

/** A handler about the master that the first argument names. */
function ofMaster(
  run: (
    about: { readonly service: SentinelService; readonly master: Master },
    request: Request,
    reply: ReplyWriter,
  ) => void,
): Handler {
  return handler((service, request, reply) => {
    const master = service.context.masters.get(request.text(2));
    if (master === undefined) return reply.error(NO_MASTER);
    run({ service, master }, request, reply);
  });
}

/** Answers a change that stands in sentinel.conf by now, if it could be written. */
function answerSaved(service: SentinelService, reply: ReplyWriter, error?: string): void {
  const { isUnsaved } = service.context;
  const unsaved = isUnsaved ? 'ERR Failed to save config file. Check server logs.' : undefined;
  answer(reply, error ?? unsaved);
}

/** Answers OK, or with the error that there is. */
function answer(reply: ReplyWriter, error: string | undefined): void {
  if (error === undefined) reply.ok();
  else reply.error(error);
}

function wordsFrom(request: Request, first: number): string[] {
  return Array.from({ length: request.argc - first }, (_, i) => request.text(first + i));
}

const masters: Handler = handler(({ context }, _request, reply) =>
  writeInstances(reply, context, context.masters),
);

const masterDown: Handler = handler((service, request, reply) => {
  const [port, epoch] = [request.int(3), request.int(4)];
  if (port === NOT_INTEGER || epoch === NOT_INTEGER) return reply.error(ERR_NOT_INTEGER);
  const { context } = service;
  const master = masterAt(context, request.text(2), Number(port));
  const id = request.text(5);
  const given =
    master === undefined || id === '*'
      ? undefined
      : service.act((c) => vote(c, master, { epoch: Number(epoch), id }));
  const isDown = !context.isTilted && master?.sdownSince !== undefined;
  // A vote that is not on disk could be given a second time.
  const standing = context.isUnsaved ? undefined : given;
  reply.array(3);
  reply.int(isDown ? 1 : 0);
  reply.bulkText(standing?.leader ?? '*');
  reply.int(standing?.epoch ?? 0);
});

const addressByName: Handler = handler(({ context }, request, reply) => {
  const master = context.masters.get(request.text(2));
  if (master === undefined) return reply.nullArray();
  const address = currentAddress(master);
  reply.array(2);
  reply.bulkText(context.announced(address));
  reply.bulkText(String(address.port));
});

const resetMatching: Run = (service, request, reply) => {
  const pattern = request.copy(2);
  const found = [...service.context.masters.values()].filter(({ name }) => {
    const bytes = Buffer.from(name, 'latin1');
    return globMatches(pattern, 0, pattern.length, bytes, 0, bytes.length, false);
  });
  service.act((c) => reset(c, found));
  reply.int(found.length);
};

const beginMonitoring: Handler = ({ server, session }, request, reply) => {
  const { sentinel } = server;
  invariant(sentinel !== undefined, 'SENTINEL is a command of Sentinels');
  const [port, quorum] = [request.int(4), request.int(5)];
  if (quorum === NOT_INTEGER) return reply.error('ERR Invalid quorum');
  if (port === NOT_INTEGER) return reply.error('ERR Invalid port');
  const [name, host] = [request.text(2), request.text(3)];
  sentinel.resolve(session, host, () => {
    const init = { name, host, port: Number(port), quorum: Number(quorum) };
    answerSaved(
      sentinel,
      reply,
      sentinel.act((c) => monitor(c, init)),
    );
  });
};

const config: Run = (service, request, reply) => {
  const { context } = service;
  if (request.argc === 5 && request.is(2, 'set')) {
    const [option, value] = [request.text(3), request.text(4)];
    return answerSaved(
      service,
      reply,
      service.act((c) => setGlobalOption(c, option, value)),
    );
  }
  if (request.argc !== 4 || !request.is(2, 'get')) return reply.error(ONLY_CONFIG);
  const pattern = request.bytes(3);
  const found = GLOBAL_OPTIONS.filter((name) => {
    const bytes = Buffer.from(name, 'latin1');
    return globMatches(pattern, 0, pattern.length, bytes, 0, bytes.length, true);
  });
  reply.map(found.length);
  for (const name of found) {
    reply.bulkText(name);
    reply.bulkText(globalOption(context, name));
  }
};

const debug: Run = (service, request, reply) => {
  const words = wordsFrom(request, 2);
  if (words.length > 0) {
    return answer(
      reply,
      service.act((c) => setPeriods(c, words)),
    );
  }
  const names = Object.entries(PERIOD_NAMES);
  reply.map(names.length);
  for (const [name, period] of names) {
    reply.bulkText(name);
    reply.bulkText(String(service.context.periods[period]));
  }
};

const simulateFailure: Run = ({ context }, request, reply) => {
  const words = wordsFrom(request, 2).map((word) => word.toLowerCase());
  if (words.includes('help')) {
    reply.array(CRASH_POINTS.length);
    for (const point of CRASH_POINTS) reply.bulkText(point);
    return;
  }
  const points = CRASH_POINTS.filter((point) => words.includes(point));
  if (points.length < new Set(words).size) {
    return reply.error('ERR Unknown failure simulation specified');
  }
  context.crashPoints.clear();
  for (const point of points) context.crashPoints.add(point);
  reply.ok();
};

const infoCache: Run = ({ context }, request, reply) => {
  const asked = new Set(wordsFrom(request, 2));
  const found = [...context.masters.values()].filter(({ name }) => asked.has(name));
  reply.array(found.length * 2);
  for (const master of found) {
    const nodes = [master, ...master.replicas.values()];
    reply.bulkText(master.name);
    reply.array(nodes.length);
    for (const { infoAt, infoText } of nodes) {
      reply.array(2);
      reply.int(infoAt === undefined ? 0 : context.since(infoAt));
      if (infoAt === undefined) reply.nullBulk();
      else reply.bulkText(infoText);
    }
  }
};

const pendingScripts: Run = ({ context }, _request, reply) => {
  reply.array(context.scripts.length);
  for (const { args, attempts, id, notBefore, path, startedAt } of context.scripts) {
    const isRunning = startedAt !== undefined;
    reply.map(6);
    reply.bulkText('argv');
    reply.array(args.length + 1);
    for (const arg of [path, ...args]) reply.bulkText(arg);
    const rest: readonly (readonly [string, string])[] = [
      ['flags', isRunning ? 'running' : 'scheduled'],
      ['pid', String(isRunning ? id : 0)],
      ['run-time', String(isRunning ? context.since(startedAt) : 0)],
      ['run-delay', String(isRunning ? 0 : Math.max(0, notBefore - context.now.mono))],
      ['retry-num', String(Math.max(0, attempts - 1))],
    ];
    for (const [name, value] of rest) {
      reply.bulkText(name);
      reply.bulkText(value);
    }
  }
};

const failover: Handler = ofMaster(({ service, master }, request, reply) => {
  const isCoordinated = request.argc === 4 && request.is(3, 'coordinated');
  if (request.argc > 3 && !isCoordinated) return reply.error(ERR_SYNTAX);
  answer(
    reply,
    service.act((c) => failoverByOperator(c, master, isCoordinated)),
  );
});

const checkQuorum: Handler = ofMaster(({ master }, _request, reply) => {
  const { usable, hasMajority, hasQuorum } = quorumReport(master);
  if (hasQuorum && hasMajority) {
    const what = 'Quorum and failover authorization can be reached';
    return reply.simple(`OK ${usable} usable Sentinels. ${what}`);
  }
  const flaws = [
    ...(hasQuorum
      ? []
      : ['Not enough available Sentinels to reach the specified quorum for this master']),
    ...(hasMajority
      ? []
      : ['Not enough available Sentinels to reach the majority and authorize a failover']),
  ];
  reply.error(`NOQUORUM ${usable} usable Sentinels. ${flaws.join('. ')}`);
});

const replicas: Handler = ofMaster(({ service, master }, _request, reply) =>
  writeInstances(reply, service.context, master.replicas),
);

/** What Valkey calls them since version 8, by our names. */
const VALKEY_NAMES: Readonly<Record<string, string | undefined>> = {
  'get-master-addr-by-name': 'get-primary-addr-by-name',
  'is-master-down-by-addr': 'is-primary-down-by-addr',
  master: 'primary',
  masters: 'primaries',
};

/** Divergence: the real one takes no option of FAILOVER, and knows only names with `master`. */
const FACTS: typeof SENTINEL_FACTS = SENTINEL_FACTS.map((facts) => ({
  ...facts,
  subcommands: (facts.subcommands ?? []).flatMap((sub) => {
    if (sub.name === 'failover') return [{ ...sub, arity: -3 }];
    const name = VALKEY_NAMES[sub.name];
    return name === undefined ? [sub] : [sub, { ...sub, name, since: '8.0.0' }];
  }),
}));

const showMaster: Handler = ofMaster(({ service, master }, _request, reply) =>
  writeInstance(reply, service.context, master),
);

/** SENTINEL and its subcommands. */
export const sentinelCommands: readonly CommandSpec[] = defineCommands(FACTS, {
  'sentinel|ckquorum': checkQuorum,
  'sentinel|config': handler(config),
  'sentinel|debug': handler(debug),
  'sentinel|failover': failover,
  'sentinel|flushconfig': handler((service, _request, reply) => {
    service.act((c) => c.save());
    answerSaved(service, reply);
  }),
  'sentinel|get-master-addr-by-name': addressByName,
  'sentinel|get-primary-addr-by-name': addressByName,
  'sentinel|help': helpHandler('sentinel'),
  'sentinel|info-cache': handler(infoCache),
  'sentinel|is-master-down-by-addr': masterDown,
  'sentinel|is-primary-down-by-addr': masterDown,
  'sentinel|master': showMaster,
  'sentinel|masters': masters,
  'sentinel|monitor': beginMonitoring,
  'sentinel|myid': handler(({ context }, _request, reply) => reply.bulkText(context.myId)),
  'sentinel|pending-scripts': handler(pendingScripts),
  'sentinel|primaries': masters,
  'sentinel|primary': showMaster,
  'sentinel|remove': ofMaster(({ service, master }, _request, reply) => {
    service.act((c) => remove(c, master));
    answerSaved(service, reply);
  }),
  'sentinel|replicas': replicas,
  'sentinel|reset': handler(resetMatching),
  'sentinel|sentinels': ofMaster(({ service, master }, _request, reply) =>
    writeInstances(reply, service.context, master.sentinels),
  ),
  'sentinel|set': ofMaster(({ service, master }, request, reply) => {
    const words = wordsFrom(request, 3);
    answerSaved(
      service,
      reply,
      service.act((c) => setOptions(c, master, words, service)),
    );
  }),
  'sentinel|simulate-failure': handler(simulateFailure),
  'sentinel|slaves': replicas,
});
