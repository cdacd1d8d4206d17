/** Switchovers of a cluster, by the tool's own plan files: with its checks, lock and journal. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { NodeAddress } from '../client/index.ts';
import { MOVE_DEFAULTS, type OperateOptions, switchover } from '../tools/cluster/index.ts';
import { ToolError, collectingScreen } from '../tools/index.ts';
import type { Operator, PlannedSwitchover } from './operator.ts';

export interface ClusterOperatorOptions {
  readonly seeds: readonly NodeAddress[];
  readonly journalFolder: string;
}

const STEP_TIMEOUT_MS = 60_000;
const MEANING =
  'A replica takes over once it has every write of its master. No write is lost; meanwhile a shard takes none, for some milliseconds.';

export class ClusterOperator implements Operator {
  readonly #options: ClusterOperatorOptions;
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'slotline-plans-'));

  constructor(options: ClusterOperatorOptions) {
    this.#options = options;
  }

  async plan(node: string | undefined): Promise<PlannedSwitchover> {
    const file = join(this.#folder, `${randomUUID()}.json`);
    const lines: string[] = [];
    await switchover(node, this.#operate({ planFile: file }), collectingScreen(lines));
    const steps = lines.filter((line) => line.startsWith('- ')).map((line) => line.slice(2));
    if (steps.length === 0) throw new ToolError('NODES_REFUSED', 'Nothing to switch over');
    return {
      meaning: MEANING,
      lines: steps,
      carryOut: (screen) => switchover(node, this.#operate({ applyFile: file }), screen),
    };
  }

  close(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #operate(file: { planFile?: string; applyFile?: string }): OperateOptions {
    return {
      seeds: this.#options.seeds,
      timeoutMs: STEP_TIMEOUT_MS,
      isConfirmed: true,
      isDryRun: false,
      planFile: file.planFile,
      applyFile: file.applyFile,
      journalFolder: this.#options.journalFolder,
      move: MOVE_DEFAULTS,
    };
  }
}
