/** `slotline cluster switchover`, `relocate`, `takeover` and `upgrade`: their arguments. */
import type { Command } from 'commander';
import {
  type PlanFlags,
  type SharedFlags,
  list,
  oneAddress,
  operateOptions,
  seeds,
  timeoutOf,
  withPlan,
  withShared,
} from './cluster-flags.ts';
import { runTool } from './run-tool.ts';

interface SwitchoverFlags extends PlanFlags {
  readonly shard?: string;
}

interface RelocateFlags extends PlanFlags {
  readonly to: string;
}

interface TakeoverFlags extends PlanFlags {
  readonly nodes: readonly string[];
  readonly evenIfMastersAnswer?: boolean;
}

interface ReplaceFlags extends PlanFlags {
  readonly acceptDataLoss?: boolean;
}

interface UpgradeFlags extends PlanFlags {
  readonly restartCommand: string;
}

interface RestoreFlags extends SharedFlags {
  readonly dropFieldExpiry?: boolean;
  readonly from?: string;
  readonly replace?: boolean;
}

/** A master with much data takes its time before the first byte. */
const DATA_TIMEOUT_MS = 60_000;

const ANY_NODE = 'any node of the cluster; several are tried in order';

/** Adds the operations on whole clusters. */
export function addOperationCommands(cluster: Command): void {
  addSwitchover(cluster);
  addRelocate(cluster);
  addTakeover(cluster);
  addReplace(cluster);
  addUpgrade(cluster);
  addBackup(cluster);
  addRestore(cluster);
}

function addSwitchover(cluster: Command): void {
  withPlan(
    cluster
      .command('switchover')
      .description('hand every shard over to a replica of it, without losing a write')
      .argument('[nodes...]', ANY_NODE)
      .option('--shard <node>', 'only the shard of this node: its id or host:port'),
  ).action((nodes: string[], flags: SwitchoverFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { switchover } = await import('../tools/cluster/index.ts');
      return switchover(flags.shard, await operateOptions(nodes, flags), screen);
    }),
  );
}

function addRelocate(cluster: Command): void {
  withPlan(
    cluster
      .command('relocate')
      .description('move every shard to new nodes: join, copy, hand over, forget the old ones')
      .argument('[nodes...]', ANY_NODE)
      .requiredOption(
        '--to <nodes>',
        'empty nodes, separated by commas: the new masters first, then their replicas',
      ),
  ).action((nodes: string[], flags: RelocateFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { relocate } = await import('../tools/cluster/index.ts');
      return relocate(await seeds([flags.to]), await operateOptions(nodes, flags), screen);
    }),
  );
}

function addTakeover(cluster: Command): void {
  withPlan(
    cluster
      .command('takeover')
      .description('promote replicas whose masters are gone, as when a data centre is lost')
      .argument('[nodes...]', ANY_NODE)
      .requiredOption('--nodes <replicas>', 'ids or host:port, separated by commas', list)
      .option('--even-if-masters-answer', 'split the cluster from masters that still answer'),
  ).action((nodes: string[], flags: TakeoverFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { takeover } = await import('../tools/cluster/index.ts');
      const isForced = flags.evenIfMastersAnswer === true;
      return takeover(flags.nodes, isForced, await operateOptions(nodes, flags), screen);
    }),
  );
}

function addReplace(cluster: Command): void {
  withPlan(
    cluster
      .command('replace')
      .description('put a new node in the place of a master or replica that is gone')
      .argument('<existing>', 'any node of the cluster that answers')
      .argument('<gone>', 'the node that is gone: its id, the beginning of it, or host:port')
      .argument('<new>', 'the empty node that takes its place')
      .option('--accept-data-loss', 'slots that nobody else has the keys of come back empty'),
  ).action((existing: string, gone: string, fresh: string, flags: ReplaceFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { replace } = await import('../tools/cluster/index.ts');
      const newNode = await oneAddress(fresh);
      const wish = { gone, newNode, acceptsLoss: flags.acceptDataLoss === true };
      return replace(wish, await operateOptions([existing], flags), screen);
    }),
  );
}

function addUpgrade(cluster: Command): void {
  withPlan(
    cluster
      .command('upgrade')
      .description('restart every node in turn: replicas, then each master after handing over')
      .argument('[nodes...]', ANY_NODE)
      .requiredOption(
        '--restart-command <command>',
        'restarts one node; {host}, {port} and {id} stand for it',
      ),
  ).action((nodes: string[], flags: UpgradeFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { upgrade } = await import('../tools/cluster/index.ts');
      return upgrade(flags.restartCommand, await operateOptions(nodes, flags), screen);
    }),
  );
}

function addBackup(cluster: Command): void {
  withShared(
    cluster
      .command('backup')
      .description("copy every master's data into a folder, with a description of the nodes")
      .argument('<existing>', 'any node of the cluster')
      .argument('<folder>', 'an empty folder, or one that is to be made'),
  ).action((existing: string, folder: string, flags: SharedFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { backup } = await import('../tools/backup/index.ts');
      const timeoutMs = timeoutOf(flags, DATA_TIMEOUT_MS);
      return backup({ seeds: await seeds([existing]), folder, timeoutMs }, screen);
    }),
  );
}

function addRestore(cluster: Command): void {
  withShared(
    cluster
      .command('restore')
      .description('put the keys of a backup, or of any RDB files, into a cluster of any size')
      .argument('<existing>', 'any node of the cluster')
      .argument('<folder>', 'the folder with the .rdb files')
      .option('--from <address>', 'a cluster that is backed up into the folder first')
      .option('--replace', 'overwrite keys that are there')
      .option('--drop-field-expiry', 'where fields cannot expire: let them stay for good'),
  ).action((existing: string, folder: string, flags: RestoreFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { restore } = await import('../tools/backup/index.ts');
      return restore(
        {
          seeds: await seeds([existing]),
          folder,
          source: flags.from === undefined ? undefined : await seeds([flags.from]),
          isReplacing: flags.replace === true,
          fieldExpiry: flags.dropFieldExpiry === true ? 'drop' : 'refuse',
          timeoutMs: timeoutOf(flags, DATA_TIMEOUT_MS),
        },
        screen,
      );
    }),
  );
}
