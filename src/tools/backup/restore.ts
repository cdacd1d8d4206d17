/** `slotline cluster restore`: the keys of RDB files into a cluster of any size, each to the owner of its slot. */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ClusterClient, Deployment, type NodeAddress } from '../../client/index.ts';
import { ReplyError } from '../../resp/index.ts';
import { closeReport, inspectCluster } from '../cluster/inspect.ts';
import { LOCK_KEY } from '../cluster/lock.ts';
import { type LockOptions, withLock } from '../cluster/locked.ts';
import type { Stopping } from '../cluster/stopping.ts';
import { type ExitStatus, ToolError, asToolError } from '../errors.ts';
import {
  type Abilities,
  type FieldExpiryPolicy,
  PayloadFitter,
  askAbilities,
  libraryName,
  putLibrary,
} from '../flow/index.ts';
import type { Screen } from '../screen.ts';
import { backupLine, takeBackup } from './backup.ts';
import { type Payload, RdbPayloads } from './rdb-payloads.ts';

export interface RestoreOptions extends LockOptions {
  /** Folder whose `.rdb` files are read. */
  readonly folder: string;
  /** Nodes of a cluster that is backed up into the folder first; undefined: the files are there. */
  readonly source: readonly NodeAddress[] | undefined;
  /** Keys that are there are overwritten. */
  readonly isReplacing: boolean;
  /** What becomes of fields that expire where the cluster has none such. */
  readonly fieldExpiry: FieldExpiryPolicy;
  /** Bound of one reply, milliseconds. */
  readonly timeoutMs: number;
}

interface Counts {
  restored: number;
  /** Were there already and stayed as they are. */
  existing: number;
  /** Had expired since. */
  expired: number;
  /** Are of a type that the cluster does not have. */
  unfit: number;
  /** Codes of the libraries of functions by name. */
  readonly libraries: Map<string, Buffer>;
  /** Names of those of which the cluster keeps its own. */
  readonly keptLibraries: Set<string>;
  readonly skipped: Set<string>;
}

/** Commands and bytes that are on their way at once. */
const IN_FLIGHT_MAX = 256;
const BYTES_IN_FLIGHT_MAX = 64 << 20;
const REPORT_PERIOD_MS = 1000;
const LOCK: Buffer = Buffer.from(LOCK_KEY);

/** Status 1 when some keys were there already and stayed. Throws ToolError. */
export async function restore(options: RestoreOptions, screen: Screen): Promise<ExitStatus> {
  const { source, folder, timeoutMs } = options;
  if (source !== undefined) {
    await refuseSameCluster(source, options.seeds);
    const taken = await takeBackup({ seeds: source, folder, timeoutMs }, screen);
    screen.note(backupLine(folder, taken));
  }
  return restoreFolder(options, screen);
}

/** Its own older values would come back over what was written since. */
async function refuseSameCluster(
  source: readonly NodeAddress[],
  target: readonly NodeAddress[],
): Promise<void> {
  const ids: Set<string>[] = [];
  for (const seeds of [source, target]) {
    const report = await inspectCluster(seeds);
    closeReport(report);
    ids.push(new Set(report.nodes.map(({ node }) => node.id)));
  }
  const [there, here] = ids;
  const shared = [...(there ?? [])].find((id) => here?.has(id) === true);
  if (shared === undefined) return;
  throw new ToolError(
    'USAGE',
    `Cannot restore from a cluster into itself: both have node ${shared}`,
  );
}

function restoreFolder(options: RestoreOptions, screen: Screen): Promise<ExitStatus> {
  return withLock('restore', options, screen, async (stopping) => {
    const startedMs = performance.now();
    const files = await filesIn(options.folder);
    const { seeds, timeoutMs } = options;
    const counts: Counts = {
      ...{ restored: 0, existing: 0, expired: 0, unfit: 0, skipped: new Set() },
      ...{ libraries: new Map(), keptLibraries: new Set() },
    };
    let client: ClusterClient | undefined;
    try {
      client = await ClusterClient.connect({ seeds, timeoutMs });
      const abilities = await abilitiesOf(options);
      const fitter = new PayloadFitter(abilities, options.fieldExpiry);
      for (const file of files) {
        await restoreFile(file, {
          ...{ client, options, counts, screen, stopping },
          ...{ abilities, fitter },
        });
      }
      if (fitter.droppedFields > 0) {
        screen.note(`${fitter.droppedFields} fields of hashes were to expire, and stay for good`);
      }
    } catch (error) {
      throw asToolError(error);
    } finally {
      client?.close();
    }
    const durationMs = Math.round(performance.now() - startedMs);
    return tell(counts, { files: files.length, durationMs }, screen);
  });
}

async function abilitiesOf({ seeds, timeoutMs }: RestoreOptions): Promise<Abilities> {
  const deployment = await Deployment.open({ seeds, timeoutMs });
  try {
    return await askAbilities(deployment);
  } finally {
    deployment.close();
  }
}

function tell(
  counts: Counts,
  run: { readonly files: number; readonly durationMs: number },
  screen: Screen,
): ExitStatus {
  const { restored, existing, expired, unfit } = counts;
  const skipped = [...counts.skipped];
  const kept = [...counts.keptLibraries];
  const libraries = counts.libraries.size - kept.length;
  const isOk = existing === 0 && kept.length === 0 && unfit === 0;
  const { durationMs } = run;
  screen.json({
    ok: isOk,
    restored,
    existing,
    expired,
    unfit,
    libraries,
    keptLibraries: kept,
    skipped,
    durationMs,
  });
  for (const what of skipped)
    screen.out(`${screen.paint('yellow', 'WARNING')} not restored: ${what}`);
  const problem = (message: string): void =>
    screen.out(`${screen.paint('red', 'PROBLEM')} ${message}: say --replace to overwrite them`);
  if (existing > 0) problem(`${existing} keys were there already and stayed as they are`);
  if (kept.length > 0) {
    problem(`the cluster keeps its own of the function libraries ${kept.join(', ')}`);
  }
  if (unfit > 0) {
    const message = `${unfit} keys are of types that the cluster does not have`;
    screen.out(`${screen.paint('red', 'PROBLEM')} ${message}: see the warnings`);
  }
  const word = isOk ? screen.paint('green', 'OK') : 'Done:';
  const functions = libraries === 0 ? '' : `, ${libraries} function libraries loaded`;
  screen.out(
    `${word} ${restored} keys restored from ${run.files} files, ${expired} had expired${functions} (${(durationMs / 1000).toFixed(1)} s)`,
  );
  return isOk ? 0 : 1;
}

async function filesIn(folder: string): Promise<string[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ToolError('LOCAL', `Cannot read the folder "${folder}": ${reason}`, error);
  }
  const files = names.filter((name) => name.endsWith('.rdb')).sort();
  if (files.length > 0) return files.map((name) => join(folder, name));
  throw new ToolError('USAGE', `Cannot restore from "${folder}": no .rdb file in it`);
}

interface FileContext {
  readonly client: ClusterClient;
  readonly options: RestoreOptions;
  readonly counts: Counts;
  readonly screen: Screen;
  readonly stopping: Stopping;
  readonly abilities: Abilities;
  readonly fitter: PayloadFitter;
}

async function restoreFile(path: string, context: FileContext): Promise<void> {
  const { counts, screen, stopping } = context;
  const payloads = new RdbPayloads();
  const onTheWay = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let bytes = 0;
  let reportedMs = performance.now();
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    const complete = payloads.push(chunk);
    for (const code of payloads.takeLibraries()) await restoreLibrary(code, context);
    for (const each of complete) {
      bytes += each.payload.length;
      const sent = restoreKey(each, context)
        .catch((error: unknown) => {
          failures.push(error);
        })
        .finally(() => {
          onTheWay.delete(sent);
          bytes -= each.payload.length;
        });
      onTheWay.add(sent);
      while (onTheWay.size >= IN_FLIGHT_MAX || (bytes > BYTES_IN_FLIGHT_MAX && onTheWay.size > 0)) {
        await Promise.race(onTheWay);
      }
      if (failures.length > 0) throw failures[0];
      stopping.throwIfRequested();
    }
    if (performance.now() - reportedMs > REPORT_PERIOD_MS) {
      reportedMs = performance.now();
      screen.note(`${counts.restored} keys restored`);
    }
  }
  await Promise.all(onTheWay);
  if (failures.length > 0) throw failures[0];
  for (const what of payloads.skipped) counts.skipped.add(what);
  if (payloads.flaw === undefined) return;
  throw new ToolError('LOCAL', `Cannot read "${path}" to its end: ${payloads.flaw}`);
}

/** A library goes to every master; its replicas get it from there. */
async function restoreLibrary(
  code: Buffer,
  { client, options, counts }: FileContext,
): Promise<void> {
  const name = libraryName(code);
  const known = counts.libraries.get(name);
  if (known?.equals(code) === false) {
    counts.skipped.add(`function library ${name} of a further master, which has other code`);
  }
  if (known !== undefined) return;
  counts.libraries.set(name, code);
  for (const master of client.masters()) {
    const outcome = await putLibrary(await client.node(master), code, options.isReplacing);
    if (outcome === 'loaded') continue;
    if (outcome === 'kept') counts.keptLibraries.add(name);
    else {
      counts.skipped.add('function libraries, which this cluster does not know');
      counts.libraries.delete(name);
    }
  }
}

async function restoreKey(
  { dbIndex, key, payload, expireAtUnixMs }: Payload,
  { client, options, counts, abilities, fitter }: FileContext,
): Promise<void> {
  // The backup's own lock is among the keys of its time.
  if (key.equals(LOCK)) return;
  if (dbIndex !== 0) {
    counts.skipped.add(`keys of database ${dbIndex}, a cluster has only database 0`);
    return;
  }
  if (expireAtUnixMs >= 0 && expireAtUnixMs <= Date.now()) {
    counts.expired++;
    return;
  }
  const fitted = fitter.fitPayload(payload);
  if (!Buffer.isBuffer(fitted)) {
    const what = `key ${JSON.stringify(key.toString())}: ${fitted.reason}`;
    if (fitted.isFieldExpiry) {
      const advice = '--drop-field-expiry lets such fields stay for good';
      throw new ToolError('NODES_REFUSED', `Cannot restore ${what}; ${advice}`);
    }
    counts.unfit++;
    counts.skipped.add(what);
    return;
  }
  const args =
    expireAtUnixMs < 0
      ? [0, fitted]
      : abilities.hasAbsoluteTtl
        ? [expireAtUnixMs, fitted, 'ABSTTL']
        : [expireAtUnixMs - Date.now(), fitted];
  const replace = options.isReplacing ? ['REPLACE'] : [];
  try {
    await client.call(key, 'RESTORE', key, ...args, ...replace);
    counts.restored++;
  } catch (error) {
    if (!(error instanceof ReplyError) || error.code !== 'BUSYKEY') throw error;
    counts.existing++;
  }
}
