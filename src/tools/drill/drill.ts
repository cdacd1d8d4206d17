/** `slotline drill`: fails over under load, round after round, and tells what that cost the clients. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { type NodeAddress, replyFacts, serverMode } from '../../client/index.ts';
import { Stopping, callNode, connectNode, withLock, withSignals } from '../cluster/index.ts';
import { confirm } from '../confirm.ts';
import { type ExitStatus, ToolError } from '../errors.ts';
import type { Screen } from '../screen.ts';
import { ClusterTarget } from './cluster-target.ts';
import { htmlReport } from './html.ts';
import { type DrillReport, reportOf, roundLine, showReport } from './report.ts';
import { type RoundOptions, type RoundResult, runRound } from './round.ts';
import { SentinelTarget } from './sentinel-target.ts';
import type { DrillKind, Shard, Target } from './target.ts';

export interface DrillOptions {
  /** Nodes of a cluster, or Sentinels; tried in order. */
  readonly seeds: readonly NodeAddress[];
  /** The master that Sentinels watch; may be left out where there is one. */
  readonly masterName: string | undefined;
  readonly kind: DrillKind;
  readonly killCommand: string | undefined;
  readonly pauseCommand: string | undefined;
  readonly restoreCommand: string | undefined;
  /** Undefined: long enough for a failover. */
  readonly pauseMs: number | undefined;
  readonly rounds: number;
  /** A node of the shard that is struck each time; undefined: one shard after the other. */
  readonly shard: string | undefined;
  readonly writers: number;
  readonly writesPerSecond: number;
  readonly clientTimeoutMs: number;
  /** Between two rounds, milliseconds: nodes that have just voted may have to wait before they do again. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly htmlFile: string | undefined;
  readonly isConfirmed: boolean;
  readonly isDryRun: boolean;
}

/** Before every key that a drill writes. */
const KEY_PREFIX = 'slotline:drill:';

/** Status 0 when no acknowledged write was lost or reordered and all is well at the end, else 1. Throws ToolError. */
export async function drill(options: DrillOptions, screen: Screen): Promise<ExitStatus> {
  const target = await openTarget(options);
  refuseUnfit(options, target);
  const problem = await target.problem(undefined);
  if (problem !== undefined) {
    throw new ToolError(
      'NODES_REFUSED',
      `Cannot drill: there are problems to mend first: ${problem}`,
    );
  }
  const shards = chosenShards(await target.shards(), options);
  const rounds = roundsOf(options);
  const asked = { ...options, rounds };
  for (const line of planLines(asked, target, shards)) screen.out(line);
  if (options.isDryRun) {
    screen.json({ ok: true, isDryRun: true, kind: options.kind, rounds, shards });
    screen.out('Dry run: nothing was changed');
    return 0;
  }
  if (!options.isConfirmed) await confirm('Break it on purpose?', screen);
  const work = (stopping: Stopping): Promise<ExitStatus> =>
    runRounds(target, asked, { screen, stopping });
  if (target instanceof ClusterTarget) return withLock('drill', options, screen, work);
  const stopping = new Stopping();
  return withSignals(
    stopping,
    (line) => screen.note(line),
    () => work(stopping),
  );
}

async function openTarget({ seeds, masterName }: DrillOptions): Promise<Target> {
  let failure: unknown;
  for (const seed of seeds) {
    try {
      const client = await connectNode(seed);
      const info = await callNode(client, 'INFO', 'server').finally(() => client.close());
      const mode = serverMode(replyFacts(info));
      if (mode === 'cluster') return await ClusterTarget.open([seed, ...seeds]);
      if (mode === 'sentinel') return await SentinelTarget.open(seed, masterName);
      throw new ToolError(
        'NODES_REFUSED',
        `Cannot drill: ${client.name} is a single server; name a node of a cluster or a Sentinel`,
      );
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure ?? new ToolError('USAGE', 'No node to ask: name one as host:port');
}

function refuseUnfit(
  { kind, killCommand, pauseCommand, restoreCommand }: DrillOptions,
  target: Target,
): void {
  const isKnown = kind === 'kill' || kind === 'pause' || target.kinds.includes(kind);
  const lacking =
    (kind === 'kill' && killCommand === undefined && 'say --kill-command') ||
    (pauseCommand !== undefined && restoreCommand === undefined && 'say --restore-command too') ||
    (!isKnown && `${target.title} knows ${[...target.kinds, 'kill', 'pause'].join(', ')}`);
  if (lacking !== false) throw new ToolError('USAGE', `Cannot drill ${kind}: ${lacking}`);
}

/** What is killed and not brought back can be killed once. */
function roundsOf({ kind, restoreCommand, rounds }: DrillOptions): number {
  return kind === 'kill' && restoreCommand === undefined ? Math.min(rounds, 1) : rounds;
}

/** Names of the shards that take turns. Throws ToolError. */
function chosenShards(
  shards: readonly Shard[],
  { shard: reference }: DrillOptions,
): readonly Shard[] {
  const chosen = shards.filter(
    ({ name, master, replicas }) =>
      reference === undefined ||
      reference === name ||
      [master, ...replicas].some(
        (member) => member.name === reference || member.id.startsWith(reference),
      ),
  );
  if (chosen.length === 0 || (reference !== undefined && chosen.length > 1)) {
    throw new ToolError(
      'USAGE',
      `Cannot choose a shard: "${reference ?? ''}" is in none, or several`,
    );
  }
  const lonely = chosen.find(({ replicas }) => replicas.length === 0);
  if (lonely === undefined) return chosen;
  throw new ToolError('NODES_REFUSED', `Cannot drill: master ${lonely.master.name} has no replica`);
}

function planLines(options: DrillOptions, target: Target, shards: readonly Shard[]): string[] {
  const { kind, rounds, writers, writesPerSecond } = options;
  const rate = writesPerSecond === 0 ? 'as fast as they go' : `${writesPerSecond} writes a second`;
  return [
    `- ${rounds} rounds of ${kind} on ${target.title}`,
    ...shards.map(
      ({ name, master, replicas }) =>
        `- shard ${name}: master ${master.name}, replicas ${replicas.map((each) => each.name).join(', ')}`,
    ),
    `- meanwhile ${writers} clients write to the shard that is struck, ${rate}, to keys that begin with ${KEY_PREFIX} and are removed`,
  ];
}

async function runRounds(
  target: Target,
  options: DrillOptions,
  { screen, stopping }: { readonly screen: Screen; readonly stopping: Stopping },
): Promise<ExitStatus> {
  const results: RoundResult[] = [];
  const runId = randomBytes(4).toString('hex');
  for (let round = 0; round < options.rounds && !stopping.isRequested; round++) {
    if (round > 0) await pause(options.intervalMs);
    await stopping.untilGoingOn();
    const shards = chosenShards(await target.shards(), options);
    const struck = shards[round % shards.length];
    if (struck === undefined) break;
    const result = await runRound(
      target,
      struck,
      roundOptions(options, target, `${runId}:${round}:`),
    );
    results.push(result);
    screen.note(`round ${round + 1} of ${options.rounds}: ${roundLine(result)}`);
  }
  const report = reportOf({ target: target.title, kind: options.kind, rounds: results });
  screen.json(report);
  showReport(report, screen);
  if (options.htmlFile !== undefined) writeHtml(options.htmlFile, report, screen);
  if (stopping.isRequested) return 3;
  return report.ok ? 0 : 1;
}

function roundOptions(options: DrillOptions, target: Target, run: string): RoundOptions {
  const { kind, killCommand, pauseCommand, restoreCommand, timeoutMs } = options;
  const { writers, writesPerSecond, clientTimeoutMs } = options;
  const pauseMs = options.pauseMs ?? target.silenceMs;
  return {
    fault: { kind, killCommand, pauseCommand, restoreCommand, pauseMs },
    load: { writers, writesPerSecond, clientTimeoutMs, keyPrefix: `${KEY_PREFIX}${run}` },
    timeoutMs,
  };
}

function writeHtml(file: string, report: DrillReport, screen: Screen): void {
  try {
    writeFileSync(file, htmlReport(report));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ToolError('LOCAL', `Cannot write the report "${file}": ${reason}`, error);
  }
  screen.note(`The report is in ${file}`);
}
