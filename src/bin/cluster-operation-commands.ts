/** `slotline cluster switchover`, `relocate`, `takeover` and `upgrade`: their arguments. */
import type { Command } from 'commander';
import { type PlanFlags, list, operateOptions, seeds, withPlan } from './cluster-flags.ts';
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

interface UpgradeFlags extends PlanFlags {
  readonly restartCommand: string;
}

const ANY_NODE = 'any node of the cluster; several are tried in order';

/** Adds the operations on whole clusters. */
export function addOperationCommands(cluster: Command): void {
  addSwitchover(cluster);
  addRelocate(cluster);
  addTakeover(cluster);
  addUpgrade(cluster);
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
