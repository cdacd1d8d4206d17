/** `slotline cluster backup`: the RDB of every master in a folder, with a description of the nodes as redis-cli writes it. */
import { mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type NodeAddress, downloadRdb } from '../../client/index.ts';
import type { ClusterReport, NodeReport } from '../cluster/inspect.ts';
import { closeReport, inspectCluster } from '../cluster/inspect.ts';
import { findProblems } from '../cluster/findings.ts';
import { LOCK_KEY } from '../cluster/lock.ts';
import { type LockOptions, withLock } from '../cluster/locked.ts';
import { slotCount } from '../cluster/slot-ranges.ts';
import { type ExitStatus, ToolError, asToolError } from '../errors.ts';
import type { Screen } from '../screen.ts';
import { RdbPayloads } from './rdb-payloads.ts';

export interface BackupOptions extends LockOptions {
  readonly folder: string;
  /** Bound of the silence of a master that prepares its data, milliseconds. */
  readonly timeoutMs: number;
}

/** The description of the nodes, under the name that redis-cli gives it. */
const NODES_FILE = 'nodes.json';

const LOCK: Buffer = Buffer.from(LOCK_KEY);

/** One file of a backup. */
export interface BackupFile {
  readonly file: string;
  readonly address: string;
  readonly bytes: number;
  readonly keys: number;
}

export interface BackupResult {
  readonly keys: number;
  readonly bytes: number;
  readonly files: readonly BackupFile[];
  readonly durationMs: number;
}

/** Copies every master's data into a folder that is empty or new. Throws ToolError. */
export async function backup(options: BackupOptions, screen: Screen): Promise<ExitStatus> {
  const { folder } = options;
  const result = await takeBackup(options, screen);
  screen.json({ ok: true, folder, ...result });
  screen.out(`${screen.paint('green', 'OK')} ${backupLine(folder, result)}`);
  return 0;
}

/** `backup` without its last words. Throws ToolError. */
export function takeBackup(options: BackupOptions, screen: Screen): Promise<BackupResult> {
  // Slots that move meanwhile would be in two files, or in none.
  return withLock('backup', options, screen, async () => {
    const startedMs = performance.now();
    const report = await inspectCluster(options.seeds);
    closeReport(report);
    refuseBroken(report);
    await prepareFolder(options.folder);
    const masters = report.nodes.filter(
      ({ node }) => node.role === 'master' && node.slots.length > 0,
    );
    const files = await Promise.all(
      masters.map((master) => download(master, report.address, options, screen)),
    );
    const nodesFile = join(options.folder, NODES_FILE);
    await writeFile(nodesFile, `${JSON.stringify(describe(report), undefined, 2)}\n`);
    return {
      keys: files.reduce((sum, each) => sum + each.keys, 0),
      bytes: files.reduce((sum, each) => sum + each.bytes, 0),
      files,
      durationMs: Math.round(performance.now() - startedMs),
    };
  });
}

export function backupLine(
  folder: string,
  { keys, bytes, files, durationMs }: BackupResult,
): string {
  const seconds = (durationMs / 1000).toFixed(1);
  return `${keys} keys of ${files.length} masters are in ${folder}, ${bytes} bytes (${seconds} s)`;
}

function refuseBroken(report: ClusterReport): void {
  const problem = findProblems(report).find(({ severity }) => severity === 'error');
  if (problem === undefined) return;
  throw new ToolError(
    'NODES_REFUSED',
    `Cannot back up: the backup would not be whole: ${problem.message}; see "slotline cluster check ${report.seed.name}"`,
  );
}

async function prepareFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    if ((await readdir(folder)).length === 0) return;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ToolError('LOCAL', `Cannot use the folder "${folder}": ${reason}`, error);
  }
  throw new ToolError('USAGE', `Cannot back up into "${folder}": it is not empty`);
}

/** Under its name only when it is whole: read to its end with the right checksum, and on disk. */
async function download(
  { node, name }: NodeReport,
  like: NodeAddress,
  { folder, timeoutMs }: BackupOptions,
  screen: Screen,
): Promise<BackupFile> {
  const file = `redis-node-${node.host}-${node.port}-${node.id}.rdb`;
  const path = join(folder, file);
  const part = `${path}.part`;
  const payloads = new RdbPayloads();
  let keys = 0;
  let libraries = 0;
  let bytes: number;
  const handle = await open(part, 'wx');
  try {
    bytes = await downloadRdb(
      { ...like, host: node.host, port: node.port, timeoutMs },
      async (piece) => {
        keys += payloads.push(piece).filter(({ key }) => !key.equals(LOCK)).length;
        libraries += payloads.takeLibraries().length;
        await handle.writeFile(piece);
      },
    );
    if (payloads.flaw !== undefined) {
      throw new ToolError(
        'NODE_FAILED',
        `The data of ${name} did not arrive whole: ${payloads.flaw}`,
      );
    }
    await handle.sync();
  } catch (error) {
    await rm(part, { force: true });
    throw asToolError(error, name);
  } finally {
    await handle.close();
  }
  await rename(part, path);
  const functions = libraries === 0 ? '' : `, ${libraries} function libraries`;
  screen.note(`${name}: ${keys} keys${functions}, ${bytes} bytes`);
  return { file, address: name, bytes, keys };
}

/** Fields and names as in the file of redis-cli's backup. */
function describe(report: ClusterReport): object[] {
  return report.nodes.map(({ node, own }) => ({
    name: node.id,
    host: node.host,
    port: node.port,
    replicate: node.masterId ?? null,
    slots: node.slots,
    slots_count: slotCount(node.slots),
    flags: node.flags.filter((flag) => flag !== 'myself').join(','),
    current_epoch: own?.currentEpoch ?? 0,
  }));
}
