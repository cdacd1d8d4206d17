/** Who carries out what the page asks for: one for clusters, one for what Sentinels watch. */
import type { ExitStatus, Screen } from '../tools/index.ts';

/** A switchover as it would be done now. */
export interface PlannedSwitchover {
  /** What it means for clients, for people. */
  readonly meaning: string;
  /** One line for each step. */
  readonly lines: readonly string[];
  /** Does just that, or refuses when things are not as they were. Throws ToolError. */
  readonly carryOut: (screen: Screen) => Promise<ExitStatus>;
}

export interface Operator {
  /** Plans for the shard, or the master with its replicas, that has this node; for all without one. Throws ToolError. */
  plan(node: string | undefined): Promise<PlannedSwitchover>;
  close(): void;
}
