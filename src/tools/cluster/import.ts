/** `slotline cluster import`: the keys of a single server move, or are copied, into a cluster; MIGRATE carries them. */
import { keySlot } from '../../base/index.ts';
import { type NodeAddress, RespClient, replyFacts } from '../../client/index.ts';
import { confirm } from '../confirm.ts';
import { type ExitStatus, ToolError, asToolError } from '../errors.ts';
import { Pace, keyAt, scanPage } from '../flow/index.ts';
import type { Screen } from '../screen.ts';
import { BatchPace } from './batch-pace.ts';
import { callNode, withCredentials } from './connect.ts';
import { findProblems, hasErrors } from './findings.ts';
import { type ClusterReport, type NodeReport, closeReport, inspectCluster } from './inspect.ts';
import { withLock } from './locked.ts';
import { migrateKeys } from './migrate.ts';
import { MoveProgress } from './move-progress.ts';
import { type MoveOptions, clientOf } from './slot-mover.ts';
import { slotsOf } from './slot-ranges.ts';
import type { Stopping } from './stopping.ts';

export interface ImportOptions {
  /** Nodes of the cluster. */
  readonly seeds: readonly NodeAddress[];
  /** The server that has the keys. */
  readonly source: NodeAddress;
  /** Which of its databases; undefined: the only one that has keys, which is 0. */
  readonly database: number | undefined;
  /** The source keeps its keys. */
  readonly isCopying: boolean;
  readonly move: MoveOptions;
  readonly isConfirmed: boolean;
  readonly isDryRun: boolean;
}

const SCAN_COUNT = 1000;
const REPLY_MARGIN_MS = 5000;
/** Keys that writers add meanwhile are looked for again, so many times. */
const PASSES_MAX = 5;

/** Status 0 when every key has moved. Throws ToolError; the same call then goes on. */
export async function importKeys(options: ImportOptions, screen: Screen): Promise<ExitStatus> {
  const { isCopying, isDryRun, database = 0 } = options;
  const report = await inspectCluster(options.seeds);
  let source: RespClient | undefined;
  try {
    refuseBroken(report);
    source = await connectSource(options);
    const keys = await countKeys(source, options.database);
    const verb = isCopying ? 'copy' : 'move';
    screen.out(
      `- ${verb} ${keys} keys of database ${database} of ${source.name} to the masters of their slots`,
    );
    if (isDryRun) {
      screen.json({ ok: true, verb: 'import', isDryRun, keys });
      screen.out('Dry run: nothing was changed');
      return 0;
    }
    if (!options.isConfirmed) await confirm('Carry out this plan?', screen);
    const run = { source, report, options, screen, keys };
    return await withLock('import', options, screen, (stopping) => carry(run, stopping));
  } finally {
    source?.close();
    closeReport(report);
  }
}

interface Import {
  readonly source: RespClient;
  readonly report: ClusterReport;
  readonly options: ImportOptions;
  readonly screen: Screen;
  /** Counted before it began. */
  readonly keys: number;
}

async function carry(run: Import, stopping: Stopping): Promise<ExitStatus> {
  const { source, options, screen } = run;
  const progress = new MoveProgress(screen);
  progress.expect(0, run.keys);
  const pace = new Pace(options.move.keysPerSecond ?? 0);
  const lanes = await openLanes(run);
  try {
    for (let pass = 0; pass < PASSES_MAX; pass++) {
      let cursor = '0';
      do {
        await stopping.untilGoingOn();
        stopping.throwIfRequested();
        const page = await scanPage(source, { cursor, count: SCAN_COUNT });
        cursor = page.cursor;
        const keys = page.keys.at.map((_, index) => keyAt(page.keys, index));
        await spread(keys, { lanes, pace, progress });
      } while (cursor !== '0');
      // A copy leaves everything where it is, so that another pass would find it all again.
      if (options.isCopying || (await callNode(source, 'DBSIZE')) === 0) break;
    }
  } finally {
    for (const lane of lanes.all) lane.source.close();
  }
  const left = options.isCopying ? 0 : Number(await callNode(source, 'DBSIZE'));
  const { keys, durationMs } = progress.totals();
  screen.json({ ok: left === 0, verb: 'import', isDryRun: false, keys, left, durationMs });
  const rate = Math.round(keys / Math.max(durationMs / 1000, 0.001));
  const word = left === 0 ? screen.paint('green', 'OK') : screen.paint('red', 'KEYS LEFT');
  const rest = left === 0 ? '' : `, ${left} are left: something keeps writing there`;
  screen.out(
    `${word} ${keys} keys ${options.isCopying ? 'copied' : 'moved'}, ${rate} keys/s${rest}`,
  );
  return left === 0 ? 0 : 1;
}

/** The way to one master, with a connection to the source that MIGRATE may keep busy. */
interface Lane {
  readonly source: RespClient;
  readonly batch: BatchPace;
  readonly migrate: (keys: readonly Buffer[]) => Promise<void>;
}

interface Lanes {
  readonly all: readonly Lane[];
  readonly ofSlot: ReadonlyMap<number, Lane>;
}

async function openLanes({ report, options }: Import): Promise<Lanes> {
  const all: Lane[] = [];
  const ofSlot = new Map<number, Lane>();
  for (const master of report.nodes.filter(({ node }) => node.role === 'master')) {
    const lane = await openLane(master, report, options);
    all.push(lane);
    for (const slot of slotsOf(master.node.slots)) ofSlot.set(slot, lane);
  }
  return { all, ofSlot };
}

async function openLane(
  master: NodeReport,
  report: ClusterReport,
  options: ImportOptions,
): Promise<Lane> {
  const source = await connectSource(options);
  const route = {
    source,
    target: clientOf(master),
    targetAddress: withCredentials(master.node, report.address),
    timeoutMs: options.move.migrateTimeoutMs,
    isReplacing: options.move.isReplacing,
    isCopying: options.isCopying,
  };
  const batch = new BatchPace(options.move.batchKeysMax);
  return { source, batch, migrate: (keys) => migrateKeys(route, keys) };
}

interface Spreading {
  readonly lanes: Lanes;
  readonly pace: Pace;
  readonly progress: MoveProgress;
}

/** Each key to the master of its slot, all masters at once. */
async function spread(
  keys: readonly Buffer[],
  { lanes, pace, progress }: Spreading,
): Promise<void> {
  const byLane = new Map<Lane, Buffer[]>();
  for (const key of keys) {
    const lane = lanes.ofSlot.get(keySlot(key, 0, key.length));
    if (lane === undefined) continue;
    const own = byLane.get(lane) ?? [];
    own.push(key);
    byLane.set(lane, own);
  }
  const moved = [...byLane].map(async ([lane, own]) => {
    for (let at = 0; at < own.length;) {
      const batch = own.slice(at, at + lane.batch.keys);
      await pace.take(batch.length);
      const sentMs = performance.now();
      await lane.migrate(batch);
      lane.batch.note(batch.length, { sentMs, endedMs: performance.now() });
      progress.keysMoved(batch.length);
      at += batch.length;
    }
  });
  await Promise.all(moved);
}

function refuseBroken(report: ClusterReport): void {
  const findings = findProblems(report);
  if (!hasErrors(findings)) return;
  throw new ToolError(
    'NODES_REFUSED',
    `Cannot import: the cluster has problems to mend first: ${findings[0]?.message ?? ''}`,
  );
}

async function connectSource({ source, database = 0, move }: ImportOptions): Promise<RespClient> {
  try {
    return await RespClient.connect({
      ...source,
      db: database,
      timeoutMs: move.migrateTimeoutMs + REPLY_MARGIN_MS,
    });
  } catch (error) {
    throw asToolError(error);
  }
}

/** Keys of the database; refuses to leave those of others out without a word. */
async function countKeys(source: RespClient, database: number | undefined): Promise<number> {
  const facts = replyFacts(await callNode(source, 'INFO', 'all'));
  if (facts.get('cluster_enabled') === '1') {
    throw new ToolError(
      'NODES_REFUSED',
      `Cannot import from ${source.name}: it is in cluster mode; use "slotline migrate run"`,
    );
  }
  const others = [...facts.keys()].filter((name) => /^db[1-9]\d*$/.test(name));
  if (others.length > 0 && database === undefined) {
    throw new ToolError(
      'NODES_REFUSED',
      `Cannot import from ${source.name}: it has keys in ${others.join(', ')} too, and a cluster has one database; say which with --from-db`,
    );
  }
  return Number(await callNode(source, 'DBSIZE'));
}
