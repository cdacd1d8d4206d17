/** `slotline cluster …`: the arguments of the cluster tools, with the spellings of `redis-cli --cluster` beside ours. */
import { type Command, Option } from 'commander';
import {
  type PlanFlags,
  type SharedFlags,
  oneAddress,
  operateOptions,
  seeds,
  timeoutOf,
  withJson,
  withPlan,
  withShared,
} from './cluster-flags.ts';
import { addOperationCommands } from './cluster-operation-commands.ts';
import { addSlotCommands } from './cluster-slot-commands.ts';
import { runTool, wholeNumber } from './run-tool.ts';

interface CreateFlags extends SharedFlags {
  readonly replicas?: number;
  readonly clusterReplicas?: number;
  readonly yes?: boolean;
  readonly clusterYes?: boolean;
  readonly dryRun?: boolean;
}

interface AddNodeFlags extends PlanFlags {
  readonly replica?: boolean;
  readonly replicaOf?: string;
  readonly clusterMasterId?: string;
}

interface FailoverFlags extends SharedFlags {
  readonly force?: boolean;
  readonly takeover?: boolean;
}

interface CallFlags extends SharedFlags {
  readonly onlyMasters?: boolean;
  readonly onlyReplicas?: boolean;
}

/** Adds `cluster` and its subcommands. */
export function addClusterCommands(root: Command): void {
  const cluster = root
    .command('cluster')
    .description('create and look after clusters of any nodes: ours, Redis, Valkey')
    .helpCommand(false)
    .addHelpText(
      'after',
      `
Addresses: host:port, redis://[user[:password]@]host:port, rediss:// for TLS. REDISCLI_AUTH holds the password,
REDIS_URL the node to ask when none is named.`,
    );
  addCreate(cluster);
  addCheck(cluster);
  addAddNode(cluster);
  addDelNode(cluster);
  addFailover(cluster);
  addSlotCommands(cluster);
  addOperationCommands(cluster);
  addCall(cluster);
  addSetTimeout(cluster);
}

function addCreate(cluster: Command): void {
  withShared(
    cluster
      .command('create')
      .description('make a cluster of empty nodes')
      .argument('<nodes...>', 'every node, masters first')
      .option('--replicas <count>', 'replicas of each master (default: 0)', wholeNumber)
      .addOption(new Option('--cluster-replicas <count>').argParser(wholeNumber).hideHelp())
      .option('-y, --yes', 'do not ask')
      .addOption(new Option('--cluster-yes').hideHelp())
      .option('--dry-run', 'show the plan and change nothing'),
  ).action((nodes: string[], flags: CreateFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { CREATE_TIMEOUT_MS, createCluster } = await import('../tools/cluster/index.ts');
      const result = await createCluster(
        {
          nodes: await seeds(nodes),
          replicas: flags.replicas ?? flags.clusterReplicas ?? 0,
          timeoutMs: timeoutOf(flags, CREATE_TIMEOUT_MS),
          isConfirmed: flags.yes === true || flags.clusterYes === true,
          isDryRun: flags.dryRun === true,
        },
        screen,
      );
      return result.ok ? 0 : 1;
    }),
  );
}

function addCheck(cluster: Command): void {
  withJson(
    cluster
      .command('check')
      .description('show the nodes and everything that is wrong; status 1 when something is')
      .argument('[nodes...]', 'any node of the cluster; several are tried in order'),
  ).action((nodes: string[], flags: SharedFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { checkCluster } = await import('../tools/cluster/index.ts');
      return checkCluster(await seeds(nodes), screen);
    }),
  );
  withJson(
    cluster
      .command('info')
      .description('show the masters with their slots, keys and replicas')
      .argument('[nodes...]', 'any node of the cluster; several are tried in order'),
  ).action((nodes: string[], flags: SharedFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { showInfo } = await import('../tools/cluster/index.ts');
      return showInfo(await seeds(nodes), screen);
    }),
  );
}

function addAddNode(cluster: Command): void {
  withPlan(
    cluster
      .command('add-node')
      .description('add an empty node as a master without slots, or as a replica')
      .argument('<new>', 'the node that joins')
      .argument('[existing...]', 'any node of the cluster')
      .option('--replica', 'as replica of the master with the fewest')
      .option('--replica-of <node>', 'as replica of this master: its id or host:port')
      .addOption(new Option('--cluster-slave').implies({ replica: true }).hideHelp())
      .addOption(new Option('--cluster-master-id <id>').hideHelp()),
  ).action((newNode: string, existing: string[], flags: AddNodeFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { addNode } = await import('../tools/cluster/index.ts');
      const addition = {
        newNode: await oneAddress(newNode),
        isReplica: flags.replica === true,
        masterReference: flags.replicaOf ?? flags.clusterMasterId,
      };
      // As with redis-cli, naming the node is consent enough.
      const options = await operateOptions(existing, { ...flags, yes: true });
      return addNode(addition, options, screen);
    }),
  );
}

function addDelNode(cluster: Command): void {
  withPlan(
    cluster
      .command('del-node')
      .description('take a node without slots out of the cluster and reset it')
      .argument('<existing>', 'any node of the cluster')
      .argument('<node>', 'the node that goes: its id, the beginning of it, or host:port'),
  ).action((existing: string, reference: string, flags: PlanFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { delNode } = await import('../tools/cluster/index.ts');
      const options = await operateOptions([existing], { ...flags, yes: true });
      return delNode(reference, options, screen);
    }),
  );
}

function addFailover(cluster: Command): void {
  withShared(
    cluster
      .command('failover')
      .description('let a replica take over from its master, and wait until it has')
      .argument('<node>', 'the replica; or a master, whose most up-to-date replica is taken')
      .addOption(
        new Option('--force', 'without the master, which may lose its last writes').conflicts(
          'takeover',
        ),
      )
      .option('--takeover', "without the other masters' votes either"),
  ).action((node: string, flags: FailoverFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { FAILOVER_TIMEOUT_MS, failover } = await import('../tools/cluster/index.ts');
      const forced = flags.takeover === true ? 'takeover' : 'force';
      return failover(
        {
          node: await oneAddress(node),
          mode: flags.force === true || flags.takeover === true ? forced : 'coordinated',
          timeoutMs: timeoutOf(flags, FAILOVER_TIMEOUT_MS),
        },
        screen,
      );
    }),
  );
}

function addCall(cluster: Command): void {
  withJson(
    cluster
      .command('call')
      .description('send a command to every node')
      .argument('<existing>', 'any node of the cluster')
      .argument('<command...>', 'the command and its arguments')
      .addOption(new Option('--only-masters', 'masters only').conflicts('onlyReplicas'))
      .option('--only-replicas', 'replicas only')
      .addOption(new Option('--cluster-only-masters').implies({ onlyMasters: true }).hideHelp())
      .addOption(new Option('--cluster-only-replicas').implies({ onlyReplicas: true }).hideHelp()),
  ).action((existing: string, command: string[], flags: CallFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { callNodes } = await import('../tools/cluster/index.ts');
      const one = flags.onlyReplicas === true ? 'replicas' : 'all';
      const nodes = flags.onlyMasters === true ? 'masters' : one;
      return callNodes({ seeds: await seeds([existing]), command, nodes }, screen);
    }),
  );
}

function addSetTimeout(cluster: Command): void {
  withJson(
    cluster
      .command('set-timeout')
      .description('set cluster-node-timeout on every node, in its configuration file too')
      .argument('<existing>', 'any node of the cluster')
      .argument('<milliseconds>', 'after so much silence a node counts as failed', wholeNumber),
  ).action((existing: string, milliseconds: number, flags: SharedFlags) =>
    runTool(flags.json === true, async (screen) => {
      const { setNodeTimeout } = await import('../tools/cluster/index.ts');
      return setNodeTimeout(await seeds([existing]), milliseconds, screen);
    }),
  );
}
