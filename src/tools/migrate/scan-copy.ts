/**
 * A copy of nodes that nobody may follow: their keys are scanned again and again. The first round copies all; each later
 * one reads what both sides have and copies what differs, then takes away what the source has no more.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Deployment, type DeploymentOptions, formatAddress } from '../../client/index.ts';
import { ReplyError } from '../../resp/index.ts';
import { type ExitStatus, ToolError, asToolError } from '../errors.ts';
import {
  type DatabasePair,
  askAbilities,
  askReadAbilities,
  databasePairs,
  isEmpty,
  librariesOf,
  putLibrary,
} from '../flow/index.ts';
import type { Screen } from '../screen.ts';
import { clearTarget } from './clear-target.ts';
import { endName } from './ends.ts';
import { refuseFieldExpiry } from './field-expiry-check.ts';
import type { MigrateOptions } from './migrate.ts';
import { Quarantine } from './quarantine.ts';
import { Reporting } from './reporting.ts';
import { ScanRounds } from './scan-rounds.ts';

/** Between two rounds. */
const PAUSE_MS = 1000;

/** Status 0 when the target is a copy, 1 when keys were put aside, 3 when it ended before. Throws ToolError. */
export async function scanCopy(options: MigrateOptions, screen: Screen): Promise<ExitStatus> {
  const { dir, signal } = options;
  mkdirSync(dir, { recursive: true });
  const quarantine = new Quarantine(join(dir, 'quarantine.ndjson'));
  const names = { source: endName(options.source), target: endName(options.target) };
  const reporting = new Reporting(options, names, screen);
  const open: Deployment[] = [];
  const opened = async (end: DeploymentOptions): Promise<Deployment> => {
    const deployment = await Deployment.open(end);
    open.push(deployment);
    return deployment;
  };
  try {
    const source = await opened(options.source);
    const target = await opened(options.target);
    const pairs = await pairsOf(source, target, options);
    if (options.filter === undefined && options.fieldExpiry === 'refuse') {
      await refuseFieldExpiry(source, target);
    }
    const wasEmpty = await isEmpty(target);
    refuseUnclear(options, wasEmpty);
    if (options.removesExtra) await clear(target, pairs, options);
    await copyLibraries(source, target, (line) => screen.note(line));
    const mayRemove = wasEmpty || options.removesExtra;
    if (!mayRemove)
      screen.note('keys that the source deletes stay on the target: it had keys of its own');
    const rounds = new ScanRounds({
      ...{ source, pairs, mayRemove, quarantine, signal },
      target: await Deployment.open(options.target),
      filter: options.filter,
      control: reporting.control,
      abilities: {
        source: await askReadAbilities(source),
        target: await askAbilities(target),
      },
      fieldExpiry: options.fieldExpiry,
    });
    open.push(rounds.target);
    reporting.begin(() => [rounds.status()], quarantine);
    for (let isStill = false; !signal.aborted;) {
      const changes = await rounds.next();
      reporting.meter.showPhases([rounds.status()]);
      screen.note(`round ${rounds.count}: ${changes} keys differed`);
      isStill = rounds.count > 1 && changes === 0;
      const isToEnd = options.stopsWhenSynced || reporting.control.orders.isToComplete;
      if (isStill && isToEnd) break;
      await pause(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
    reporting.end(rounds.isWhole);
    if (!rounds.isWhole) return 3;
    return quarantine.count > 0 ? 1 : 0;
  } catch (error) {
    throw asToolError(error);
  } finally {
    reporting.close();
    for (const deployment of open) deployment.close();
  }
}

async function pairsOf(
  source: Deployment,
  target: Deployment,
  { databases, withoutDatabases }: MigrateOptions,
): Promise<readonly DatabasePair[]> {
  const pairs = await databasePairs(source, target, databases);
  return pairs.filter((pair) => !withoutDatabases.includes(pair.source));
}

/** A later round cannot tell what the target had from what it has got. */
function refuseUnclear({ conflict, removesExtra }: MigrateOptions, wasEmpty: boolean): void {
  if (conflict === 'replace' || wasEmpty) return;
  const reason = removesExtra ? '--remove-extra' : 'scanning a source again';
  throw new ToolError(
    'USAGE',
    `Cannot leave alone what the target has: ${reason} goes with --on-conflict replace, or with an empty target`,
  );
}

async function clear(
  deployment: Deployment,
  pairs: readonly DatabasePair[],
  { filter }: MigrateOptions,
): Promise<void> {
  for (const { target: db } of pairs) {
    await clearTarget(
      { deployment, db },
      ({ buf, at, size }, index) => filter?.admits(buf, at[index]!, size[index]!) ?? true,
    );
  }
}

/** Functions are in no round: those that the source has now are loaded into every master of the target. */
async function copyLibraries(
  source: Deployment,
  target: Deployment,
  note: (line: string) => void,
): Promise<void> {
  const libraries = new Map<string, Buffer>();
  for (const master of source.masters().keys()) {
    try {
      const found = await librariesOf(await source.connection(master));
      for (const [name, code] of found ?? []) libraries.set(name, code);
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      note(`functions are not copied: the source answers ${error.message}`);
    }
  }
  for (const [name, code] of libraries) {
    for (const [index, master] of target.masters().entries()) {
      const outcome = await putLibrary(await target.connection(index), code, true);
      if (outcome === 'loaded') continue;
      note(`function library ${name} is not on ${formatAddress(master)}`);
    }
  }
}
