/**
 * Commands of Redis Cluster: CLUSTER and its subcommands, and the three by which a client says how it
 * wants to be served. MIGRATE stands with them because only resharding needs it.
 * Facts: COMMAND INFO and COMMAND DOCS of redis-server 7.0.15.
 */
import {
  addSlots,
  addSlotsRange,
  bumpEpoch,
  delSlots,
  delSlotsRange,
  failover,
  flushSlots,
  forget,
  meet,
  replicate,
  reset,
  saveConfig,
  setConfigEpoch,
  setSlot,
} from './cluster-admin.ts';
import { inCluster } from './cluster-call.ts';
import {
  countFailureReports,
  countKeysInSlot,
  getKeysInSlot,
  help,
  info,
  links,
  myId,
  nodes,
  replicas,
  shards,
  slotOfKey,
  slots,
} from './cluster-views.ts';
import {
  cancelSlotMigrations,
  getSlotMigrations,
  migrateSlots,
  syncSlots,
} from './cluster-transfers.ts';
import { ERR_CLUSTER_DISABLED } from './errors.ts';
import { migrateCommand } from './migrate.ts';
import type { Session } from './session.ts';
import type { CommandSpec, Handler } from './spec.ts';

const GROUP = 'cluster';
const VARYING: readonly string[] = ['nondeterministic_output'];

type Form = Pick<CommandSpec, 'flags' | 'categories'>;

const ADMIN_CATEGORIES: readonly string[] = ['@admin', '@slow', '@dangerous'];
const CHANGE: Form = {
  flags: ['admin', 'stale', 'no_async_loading'],
  categories: ADMIN_CATEGORIES,
};
const ADMIN_VIEW: Form = { flags: ['admin', 'stale'], categories: ADMIN_CATEGORIES };
const VIEW: Form = { flags: ['stale'], categories: ['@slow'] };
const SERVING: Form = {
  flags: ['loading', 'stale', 'fast'],
  categories: ['@fast', '@connection'],
};

// prettier-ignore
const SUBCOMMANDS: readonly CommandSpec[] = [
  { name: 'addslots', since: '3.0.0', group: GROUP, arity: -3, ...CHANGE, run: inCluster(addSlots) },
  { name: 'addslotsrange', since: '7.0.0', group: GROUP, arity: -4, ...CHANGE, run: inCluster(addSlotsRange) },
  { name: 'bumpepoch', since: '3.0.0', group: GROUP, arity: 2, ...CHANGE, tips: VARYING, run: inCluster(bumpEpoch) },
  { name: 'cancelslotmigrations', since: '9.0.0', group: GROUP, arity: 2, ...CHANGE, run: inCluster(cancelSlotMigrations) },
  { name: 'count-failure-reports', since: '3.0.0', group: GROUP, arity: 3, ...ADMIN_VIEW, tips: VARYING, run: inCluster(countFailureReports) },
  { name: 'countkeysinslot', since: '3.0.0', group: GROUP, arity: 3, ...VIEW, run: inCluster(countKeysInSlot) },
  { name: 'delslots', since: '3.0.0', group: GROUP, arity: -3, ...CHANGE, run: inCluster(delSlots) },
  { name: 'delslotsrange', since: '7.0.0', group: GROUP, arity: -4, ...CHANGE, run: inCluster(delSlotsRange) },
  { name: 'failover', since: '3.0.0', group: GROUP, arity: -2, ...CHANGE, run: inCluster(failover) },
  { name: 'flushslots', since: '3.0.0', group: GROUP, arity: 2, ...CHANGE, run: inCluster(flushSlots) },
  { name: 'forget', since: '3.0.0', group: GROUP, arity: 3, ...CHANGE, run: inCluster(forget) },
  { name: 'getkeysinslot', since: '3.0.0', group: GROUP, arity: 4, ...VIEW, tips: VARYING, run: inCluster(getKeysInSlot) },
  { name: 'getslotmigrations', since: '9.0.0', group: GROUP, arity: 2, ...ADMIN_VIEW, tips: VARYING, run: inCluster(getSlotMigrations) },
  { name: 'help', since: '5.0.0', group: GROUP, arity: 2, flags: ['loading','stale'], categories: ['@slow'], run: inCluster(help) },
  { name: 'info', since: '3.0.0', group: GROUP, arity: 2, ...VIEW, tips: VARYING, run: inCluster(info) },
  { name: 'keyslot', since: '3.0.0', group: GROUP, arity: 3, ...VIEW, run: inCluster(slotOfKey) },
  { name: 'links', since: '7.0.0', group: GROUP, arity: 2, ...VIEW, tips: VARYING, run: inCluster(links) },
  { name: 'meet', since: '3.0.0', group: GROUP, arity: -4, ...CHANGE, run: inCluster(meet) },
  { name: 'migrateslots', since: '9.0.0', group: GROUP, arity: -7, ...CHANGE, run: inCluster(migrateSlots) },
  { name: 'myid', since: '3.0.0', group: GROUP, arity: 2, ...VIEW, run: inCluster(myId) },
  { name: 'nodes', since: '3.0.0', group: GROUP, arity: 2, ...VIEW, tips: VARYING, run: inCluster(nodes) },
  { name: 'replicas', since: '5.0.0', group: GROUP, arity: 3, ...ADMIN_VIEW, tips: VARYING, run: inCluster(replicas) },
  { name: 'replicate', since: '3.0.0', group: GROUP, arity: 3, ...CHANGE, run: inCluster(replicate) },
  { name: 'reset', since: '3.0.0', group: GROUP, arity: -2, flags: ['admin','noscript','stale'], categories: ['@admin','@slow','@dangerous'], run: inCluster(reset) },
  { name: 'saveconfig', since: '3.0.0', group: GROUP, arity: 2, ...CHANGE, run: inCluster(saveConfig) },
  { name: 'set-config-epoch', since: '3.0.0', group: GROUP, arity: 3, ...CHANGE, run: inCluster(setConfigEpoch) },
  { name: 'setslot', since: '3.0.0', group: GROUP, arity: -4, ...CHANGE, run: inCluster(setSlot) },
  { name: 'shards', since: '7.0.0', group: GROUP, arity: 2, ...VIEW, tips: VARYING, run: inCluster(shards) },
  { name: 'slaves', since: '3.0.0', group: GROUP, arity: 3, ...ADMIN_VIEW, tips: VARYING, run: inCluster(replicas) },
  { name: 'slots', since: '3.0.0', group: GROUP, arity: 2, ...VIEW, tips: VARYING, run: inCluster(slots) },
  { name: 'syncslots', since: '9.0.0', group: GROUP, arity: -3, ...CHANGE, run: inCluster(syncSlots) },
];

/** A command that changes how this client is served. */
function serving(change: (session: Session) => void): Handler {
  return (context, _request, reply) => {
    if (context.server.cluster === undefined) return reply.error(ERR_CLUSTER_DISABLED);
    change(context.session);
    reply.ok();
  };
}

export const clusterCommands: readonly CommandSpec[] = [
  {
    name: 'cluster',
    since: '3.0.0',
    group: GROUP,
    arity: -2,
    flags: [],
    categories: ['@slow'],
    subcommands: SUBCOMMANDS,
  },
  {
    name: 'asking',
    since: '3.0.0',
    group: GROUP,
    arity: 1,
    flags: ['fast'],
    categories: ['@fast', '@connection'],
    run: serving((session) => {
      session.isAsking = true;
    }),
  },
  {
    name: 'readonly',
    since: '3.0.0',
    group: GROUP,
    arity: 1,
    ...SERVING,
    run: serving((session) => {
      session.isReadonly = true;
    }),
  },
  {
    name: 'readwrite',
    since: '3.0.0',
    group: GROUP,
    arity: 1,
    ...SERVING,
    run: serving((session) => {
      session.isReadonly = false;
    }),
  },
  migrateCommand,
];
