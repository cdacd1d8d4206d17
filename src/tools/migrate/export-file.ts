/** Snapshots into a file: of every master, or from files, in the form that the name's ending says. */
import { existsSync, mkdirSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Deployment, downloadRdb, formatAddress } from '../../client/index.ts';
import { isRdbStart } from '../../rdb/index.ts';
import { type ExitStatus, ToolError, asToolError } from '../errors.ts';
import { isProgressKey } from '../flow/index.ts';
import type { Screen } from '../screen.ts';
import { AofTarget } from './aof-target.ts';
import type { MigrateEnd } from './ends.ts';
import type { FileChoice, FileTarget } from './file-target.ts';
import { JsonTarget } from './json-target.ts';
import type { MigrateOptions } from './migrate.ts';
import { RdbTarget } from './rdb-target.ts';
import { megabytes } from './report.ts';
import { filesAt, piecesOf } from './source-files.ts';

export interface ExportFileOptions extends Omit<MigrateOptions, 'source' | 'target'> {
  readonly source: MigrateEnd;
  /** Made anew; its ending is `.rdb`, `.aof` or `.jsonl`. */
  readonly path: string;
}

/** Writes to the file, and counts. */
interface Sheet {
  readonly handle: FileHandle;
  readonly target: FileTarget;
  bytes: number;
}

/**
 * The file has its name when it is whole and on disk. Status 0, or 3 when it ended before that. Throws ToolError.
 */
export async function exportFile(options: ExportFileOptions, screen: Screen): Promise<ExitStatus> {
  const { path, source, signal } = options;
  const target = targetFor(options);
  if (existsSync(path)) throw new ToolError('USAGE', `Cannot write "${path}": it is there already`);
  const part = `${path}.part`;
  let handle: FileHandle | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    handle = await open(part, 'w', 0o600);
    const sheet: Sheet = { handle, target, bytes: 0 };
    if (source.kind === 'nodes') await fromNodes(sheet, options, screen);
    else for (const file of source.paths) await fromFile(sheet, file, signal);
    if (signal.aborted) {
      await rm(part, { force: true });
      return 3;
    }
    await put(sheet, target.end());
    await handle.sync();
    await rename(part, path);
    show(sheet, path, screen);
    return 0;
  } catch (error) {
    await rm(part, { force: true });
    throw asToolError(error);
  } finally {
    await handle?.close();
  }
}

function targetFor({ path, databases, withoutDatabases, filter }: ExportFileOptions): FileTarget {
  const map = new Map(databases?.map((pair) => [pair.source, pair.target]));
  const choice: FileChoice = {
    targetDb: (db) => {
      if (withoutDatabases.includes(db)) return undefined;
      return databases === undefined ? db : map.get(db);
    },
    admits: (buf, at, size) =>
      !isProgressKey(buf, at, size) && (filter?.admits(buf, at, size) ?? true),
  };
  if (path.endsWith('.rdb')) return new RdbTarget(choice, Math.floor(Date.now() / 1000));
  if (path.endsWith('.aof')) return new AofTarget(choice, filter);
  if (path.endsWith('.jsonl')) return new JsonTarget(choice);
  throw new ToolError('USAGE', `Cannot write "${path}": name it .rdb, .aof or .jsonl`);
}

/** One master after the other, so that only one forks. */
async function fromNodes(
  sheet: Sheet,
  { source, signal }: ExportFileOptions,
  screen: Screen,
): Promise<void> {
  if (source.kind !== 'nodes') return;
  const { timeoutMs } = source.nodes;
  const deployment = await Deployment.open(source.nodes);
  try {
    for (const { host, port } of deployment.masters()) {
      if (signal.aborted) return;
      const name = formatAddress({ host, port });
      sheet.target.begin();
      const bytes = await downloadRdb(
        { ...deployment.address, host, port, timeoutMs },
        async (piece) => {
          if (!signal.aborted) await push(sheet, name, piece);
        },
      );
      if (!signal.aborted) refuseTorn(sheet, name);
      screen.note(`${name}: ${megabytes(bytes)}`);
    }
  } finally {
    deployment.close();
  }
}

async function fromFile(sheet: Sheet, path: string, signal: AbortSignal): Promise<void> {
  const [file, ...others] = filesAt(path);
  sheet.target.begin();
  let isFirst = true;
  for await (const piece of piecesOf(file ?? path)) {
    if (signal.aborted) return;
    if (others.length > 0 || (isFirst && !isRdbStart(piece))) {
      throw new ToolError('USAGE', `Cannot copy "${path}" into a file: only servers take a log`);
    }
    isFirst = false;
    await push(sheet, path, piece);
  }
  refuseTorn(sheet, path);
}

async function push(sheet: Sheet, name: string, piece: Buffer): Promise<void> {
  const problem = sheet.target.push(piece);
  if (problem !== undefined) {
    throw new ToolError('NODE_FAILED', `Cannot read the data of ${name}: ${problem}`);
  }
  await put(sheet, sheet.target.take());
}

async function put(sheet: Sheet, bytes: Buffer): Promise<void> {
  if (bytes.length === 0) return;
  await sheet.handle.writeFile(bytes);
  sheet.bytes += bytes.length;
}

function refuseTorn({ target }: Sheet, name: string): void {
  if (target.isDone) return;
  throw new ToolError('NODE_FAILED', `Cannot read the data of ${name}: it ends in the middle`);
}

function show({ target, bytes }: Sheet, path: string, screen: Screen): void {
  const { keyCount: keys, leftOutCount: leftOutKeys, skipped } = target;
  for (const what of skipped) screen.note(`${what} is not copied`);
  screen.event({ event: 'summary', whole: true, keys, bytes, leftOutKeys, path });
  if (leftOutKeys > 0) screen.out(`${leftOutKeys} keys are in databases that are not copied`);
  screen.out(`${screen.paint('green', 'OK')} ${keys} keys are in ${path}, ${megabytes(bytes)}`);
}
