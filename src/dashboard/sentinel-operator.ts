/** Switchovers of masters that Sentinels watch: a Sentinel carries them out, coordinated where it can. */
import type { NodeAddress } from '../client/index.ts';
import { type ExitStatus, type Screen, ToolError } from '../tools/index.ts';
import {
  FAILOVER_TIMEOUT_MS,
  type FailoverPlan,
  failOver,
  planFailover,
} from '../tools/sentinel/index.ts';
import type { Operator, PlannedSwitchover } from './operator.ts';

export interface SentinelOperatorOptions {
  /** Sentinels. */
  readonly seeds: readonly NodeAddress[];
  /** Name under which the master of a node is watched, or all names. */
  readonly groupsOf: (node: string | undefined) => readonly string[];
}

const LOSSLESS =
  'The master hands over once a replica has every write. No write is lost; meanwhile writers wait, for some milliseconds.';
const LOSSY =
  'This Sentinel cannot have the master hand over: it promotes a replica at once, and what the replica lacks at that moment is lost.';

export class SentinelOperator implements Operator {
  readonly #options: SentinelOperatorOptions;

  constructor(options: SentinelOperatorOptions) {
    this.#options = options;
  }

  async plan(node: string | undefined): Promise<PlannedSwitchover> {
    const names = this.#options.groupsOf(node);
    if (names.length === 0) throw new ToolError('NODES_REFUSED', 'No Sentinel watches that node');
    const plans: FailoverPlan[] = [];
    for (const name of names) plans.push(await planFailover(this.#options.seeds, name));
    return {
      meaning: plans.every(({ isCoordinated }) => isCoordinated) ? LOSSLESS : LOSSY,
      lines: plans.map(({ line }) => line),
      carryOut: (screen) => this.#carryOut(plans, screen),
    };
  }

  /** Holds nothing. */
  close(): void {}

  /** One after the other, until one does not move. */
  async #carryOut(plans: readonly FailoverPlan[], screen: Screen): Promise<ExitStatus> {
    const { seeds } = this.#options;
    for (const { name, from, isCoordinated } of plans) {
      const request = { seeds, name, from, isCoordinated, timeoutMs: FAILOVER_TIMEOUT_MS };
      const status = await failOver(request, screen);
      if (status !== 0) return status;
    }
    return 0;
  }
}
