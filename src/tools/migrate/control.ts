/**
 * How a run is watched and steered from outside: it writes what it does into a file of its folder, and reads what it is
 * asked to do from another.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readWhole, replaceWhole } from '../../io/index.ts';
import { ToolError } from '../errors.ts';
import { Pace } from '../flow/index.ts';
import { isRunning } from '../process-owner.ts';
import type { RunStatus } from './run-status.ts';

export interface Orders {
  /** Nothing is carried out; what the source sends waits. */
  readonly isPaused: boolean;
  /** Bytes a second of each master, snapshot or stream; 0 for no bound. */
  readonly rateBytes: number;
  /** Ends as soon as the target has everything, and for good. */
  readonly isToComplete: boolean;
}

export interface RunReport {
  readonly pid: number;
  readonly atUnixMs: number;
  readonly source: string;
  readonly target: string;
  readonly orders: Orders;
  readonly quarantined: number;
  readonly sources: readonly RunStatus[];
}

export const NO_ORDERS: Orders = { isPaused: false, rateBytes: 0, isToComplete: false };

const ORDERS = 'orders.json';
const REPORT = 'status.json';
const RESUME_MS = 20;

export function readOrders(dir: string): Orders {
  const text = readWhole(join(dir, ORDERS));
  return text === undefined
    ? NO_ORDERS
    : { ...NO_ORDERS, ...(JSON.parse(text) as Partial<Orders>) };
}

/** Changes what a run in `dir` is asked to do, now or when it begins. */
export function giveOrders(dir: string, change: Partial<Orders>): Orders {
  const orders = { ...readOrders(dir), ...change };
  replaceWhole(join(dir, ORDERS), `${JSON.stringify(orders)}\n`);
  return orders;
}

export function writeReport(dir: string, report: RunReport): void {
  const path = join(dir, REPORT);
  // Read by people and soon out of date: not worth waiting for the disk, but always whole.
  writeFileSync(`${path}.new`, `${JSON.stringify(report)}\n`);
  renameSync(`${path}.new`, path);
}

/** What the last run in `dir` said, and whether it goes on. Throws ToolError when there was none. */
export function readReport(dir: string): {
  readonly report: RunReport;
  readonly isRunning: boolean;
} {
  const text = readWhole(join(dir, REPORT));
  if (text === undefined) {
    throw new ToolError(
      'LOCAL',
      `Cannot find a migration in "${dir}": no run has begun there, see --dir`,
    );
  }
  const report = JSON.parse(text) as RunReport;
  return { report, isRunning: isRunning(report.pid, 'migrate') };
}

/** The orders as the run carries them out. */
export class FlowControl {
  #orders: Orders;
  #pace: Pace;

  constructor(orders: Orders) {
    this.#orders = orders;
    this.#pace = new Pace(orders.rateBytes);
  }

  get orders(): Orders {
    return this.#orders;
  }

  set orders(orders: Orders) {
    if (orders.rateBytes !== this.#orders.rateBytes) this.#pace = new Pace(orders.rateBytes);
    this.#orders = orders;
  }

  /** Waits until so many bytes may be carried out. `isOver` ends the wait. */
  async admit(bytes: number, isOver: () => boolean): Promise<void> {
    while (this.#orders.isPaused && !isOver()) {
      await new Promise((resolve) => setTimeout(resolve, RESUME_MS));
    }
    if (!isOver()) await this.#pace.take(bytes);
  }
}
