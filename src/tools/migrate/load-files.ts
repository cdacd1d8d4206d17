/** Files into nodes: who looks after it, shows it, and lets it be paused. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Deployment, type DeploymentOptions } from '../../client/index.ts';
import { type ExitStatus, ToolError, asToolError } from '../errors.ts';
import { databasesWithKeys } from '../flow/index.ts';
import type { Screen } from '../screen.ts';
import { clearTarget } from './clear-target.ts';
import { endName } from './ends.ts';
import { FileLoad } from './file-load.ts';
import type { MigrateOptions } from './migrate.ts';
import { Quarantine } from './quarantine.ts';
import { Reporting } from './reporting.ts';
import { filesAt, sizeOf } from './source-files.ts';

export interface LoadFilesOptions extends Omit<MigrateOptions, 'source' | 'target'> {
  readonly paths: readonly string[];
  readonly target: DeploymentOptions;
  readonly untilUnixSeconds: number | undefined;
}

/** Status 0 when all of it is on the target, 1 when commands were put aside, 3 when it ended before. Throws ToolError. */
export async function loadFiles(options: LoadFilesOptions, screen: Screen): Promise<ExitStatus> {
  const { dir, conflict, filter, untilUnixSeconds, signal } = options;
  if (options.removesExtra && conflict !== 'replace') {
    throw new ToolError('USAGE', '--remove-extra goes with --on-conflict replace only');
  }
  const paths = options.paths.flatMap((path) => filesAt(path));
  const name = options.paths.join(',');
  mkdirSync(dir, { recursive: true });
  const quarantine = new Quarantine(join(dir, 'quarantine.ndjson'));
  const reporting = new Reporting(
    options,
    { source: name, target: endName(options.target) },
    screen,
  );
  let load: FileLoad | undefined;
  try {
    await prepare(options, screen);
    load = await FileLoad.open({
      name,
      paths,
      sizeBytes: sizeOf(paths),
      target: options.target,
      dir,
      conflict,
      fieldExpiry: options.fieldExpiry,
      targetDb: await targetDatabases(options),
      filter,
      untilUnixSeconds,
      quarantine,
      control: reporting.control,
      note: (line) => screen.note(line),
      signal,
    });
    const opened = load;
    reporting.begin(() => [opened.status()], quarantine);
    await load.run();
    reporting.end(load.isWhole);
    if (!load.isWhole) return 3;
    return quarantine.count > 0 ? 1 : 0;
  } catch (error) {
    throw asToolError(error);
  } finally {
    reporting.close();
    load?.close();
  }
}

/** Where each database goes; a cluster takes database 0 only. */
async function targetDatabases({
  target: options,
  databases,
  withoutDatabases,
}: LoadFilesOptions): Promise<(sourceDb: number) => number | undefined> {
  const target = await Deployment.open(options);
  const { isCluster } = target;
  target.close();
  const map = new Map(databases?.map(({ source, target: to }) => [source, to]));
  return (db) => {
    if (withoutDatabases.includes(db)) return undefined;
    const to = databases === undefined ? db : map.get(db);
    return isCluster && to !== 0 ? undefined : to;
  };
}

/** Empties the target where that was asked for. */
async function prepare(
  { target, removesExtra, filter }: LoadFilesOptions,
  screen: Screen,
): Promise<void> {
  if (!removesExtra) return;
  const deployment = await Deployment.open(target);
  try {
    let count = 0;
    for (const db of await databasesWithKeys(deployment)) {
      count += await clearTarget(
        { deployment, db },
        ({ buf, at, size }, index) => filter?.admits(buf, at[index]!, size[index]!) ?? true,
      );
    }
    if (count > 0) screen.note(`${count} keys were removed from the target first`);
  } finally {
    deployment.close();
  }
}
