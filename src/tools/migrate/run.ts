/** `slotline migrate run` between any two ends: nodes that can be followed, nodes that can only be scanned, and files. */
import { type ExitStatus, ToolError } from '../errors.ts';
import type { Screen } from '../screen.ts';
import type { MigrateEnd } from './ends.ts';
import { exportFile } from './export-file.ts';
import { loadFiles } from './load-files.ts';
import { type MigrateOptions, migrate } from './migrate.ts';
import { scanCopy } from './scan-copy.ts';

export interface RunOptions extends Omit<MigrateOptions, 'source' | 'target'> {
  readonly source: MigrateEnd;
  readonly target: MigrateEnd;
  /** How nodes are read: followed as by a replica, or scanned again and again. */
  readonly sourceMode: 'psync' | 'scan';
  /** Of a log as source: commands behind this moment are left out. */
  readonly untilUnixSeconds: number | undefined;
}

/** Status as of `migrate`. Throws ToolError. */
export function run(options: RunOptions, screen: Screen): Promise<ExitStatus> {
  const { source, target, sourceMode } = options;
  if (target.kind === 'files') {
    const [path] = target.paths;
    if (path === undefined || target.paths.length > 1) {
      throw new ToolError('USAGE', 'Cannot copy into several files: name one');
    }
    return exportFile({ ...options, source, path }, screen);
  }
  if (source.kind === 'files') {
    return loadFiles({ ...options, paths: source.paths, target: target.nodes }, screen);
  }
  const nodes = { ...options, source: source.nodes, target: target.nodes };
  return sourceMode === 'scan' ? scanCopy(nodes, screen) : migrate(nodes, screen);
}
