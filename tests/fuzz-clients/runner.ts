/** Runs programs of several clients on two servers side by side and says where they first differ. */
import { setTimeout as pause } from 'node:timers/promises';
import { ConnectionLost } from '../fuzz-commands/connection.ts';
import { type Finding, compare } from './finding.ts';
import { countMessages } from './normal-form.ts';
import type { ClientStep, Program } from './program.ts';
import { type Outcome, type Side, Unsettled } from './side.ts';

/** What differs is looked at again after so long, in case that something was only late. */
const LATE_MS = 30;

/** What programs made happen: a run that never blocks anybody shows little. */
export interface Tally {
  readonly steps: number;
  readonly blockedPeak: number;
  readonly messages: number;
}

export class Runner {
  readonly #ours: Side;
  readonly #real: Side;
  #tally: Tally = { steps: 0, blockedPeak: 0, messages: 0 };

  constructor(ours: Side, real: Side) {
    this.#ours = ours;
    this.#real = real;
  }

  get tally(): Tally {
    return this.#tally;
  }

  async run(program: Program): Promise<Finding | undefined> {
    let at = 0;
    try {
      await this.#both((side) => side.begin());
      for (; at < program.length; at++) {
        const each = program[at]!;
        // A step whose client waits is left out on both: who waits was compared before.
        if (this.#real.isBlocked(each.client) && !each.isBehind) continue;
        const found = await this.#runStep(each);
        if (found !== undefined) return { ...found, at, step: each.step };
        await this.#both((side) => side.reopen());
      }
      return undefined;
    } catch (error) {
      if (!(error instanceof SideLost)) throw error;
      const [ours, real] = [this.#ours, this.#real].map((side) => error.of(side));
      await this.#both((side) => side.recover());
      const differences = [{ where: 'servers', ours: ours ?? '', real: real ?? '' }];
      return { kind: 'lost', at, step: program[at]?.step ?? [], differences };
    }
  }

  async #runStep(step: ClientStep): Promise<ReturnType<typeof compare>> {
    for (const side of [this.#ours, this.#real]) side.send(step);
    let [ours, real] = await this.#both((side) => side.settle());
    if (compare(ours, real) !== undefined) {
      await pause(LATE_MS);
      [ours, real] = await this.#both((side) => side.settle());
    }
    for (const side of [this.#ours, this.#real]) side.forget();
    this.#count(real);
    return compare(ours, real);
  }

  #count({ received, blockedCount }: Outcome): void {
    const { steps, blockedPeak, messages } = this.#tally;
    this.#tally = {
      steps: steps + 1,
      blockedPeak: Math.max(blockedPeak, blockedCount),
      messages: messages + received.reduce((sum, each) => sum + countMessages(each), 0),
    };
  }

  /** Waits for both even if one is lost, so that nothing goes on while they recover. */
  async #both<T>(use: (side: Side) => Promise<T>): Promise<readonly [ours: T, real: T]> {
    const running = [guarded(this.#ours, use), guarded(this.#real, use)] as const;
    await Promise.allSettled(running);
    return Promise.all(running);
  }
}

/** One of the servers ended, hangs, or does not come to rest. */
class SideLost extends Error {
  override readonly name: string = 'SideLost';
  readonly #side: Side;

  constructor(side: Side, cause: Error) {
    super(cause.message, { cause });
    this.#side = side;
  }

  of(side: Side): string {
    return side === this.#side ? this.message : 'runs';
  }
}

async function guarded<T>(side: Side, use: (side: Side) => Promise<T>): Promise<T> {
  try {
    return await use(side);
  } catch (error) {
    if (error instanceof ConnectionLost || error instanceof Unsettled) {
      throw new SideLost(side, error);
    }
    throw error;
  }
}
