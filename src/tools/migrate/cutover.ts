/**
 * `slotline migrate cutover`: the moment when the target takes over. Writes to the source are held, the run that follows
 * it catches up, the two sides are compared, and then it is go or no-go.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Deployment, type DeploymentOptions } from '../../client/index.ts';
import { type ExitStatus, ToolError, asToolError } from '../errors.ts';
import type { Databases } from '../flow/index.ts';
import type { Screen } from '../screen.ts';
import { verify } from '../verify/index.ts';
import { giveOrders, readReport } from './control.ts';
import { offsetsOf } from './ends.ts';
import { prepareReturn } from './way-back.ts';

export interface CutoverOptions {
  readonly source: DeploymentOptions;
  readonly target: DeploymentOptions;
  readonly databases: Databases;
  /** Folder of the run. */
  readonly dir: string;
  /** Whether writes to the source are held; without it the source must be still by itself. */
  readonly holdsWrites: boolean;
  /** Whether they stay held after a go. */
  readonly staysHeld: boolean;
  /** Whether a run from the target to the source can begin at this moment. */
  readonly hasWayBack: boolean;
  /** How long the run may take to catch up, milliseconds. */
  readonly lagMsMax: number;
  readonly signal: AbortSignal;
}

/** A hold ends by itself when we do. */
const HOLD_MS = 30_000;
const RENEW_MS = 10_000;
const POLL_MS = 50;
const ROUNDS = 3;
const INTERVAL_MS = 300;
/** How long a run may take to put its things away. */
const END_MS = 60_000;

/** Status 0 for go, 1 for no-go, 3 when it was not decided. Throws ToolError. */
export async function cutover(options: CutoverOptions, screen: Screen): Promise<ExitStatus> {
  if (!readReport(options.dir).isRunning) {
    throw new ToolError(
      'NODES_REFUSED',
      `Cannot cut over: no run follows the source in "${options.dir}"`,
    );
  }
  let source: Deployment | undefined;
  let hold: Hold | undefined;
  try {
    source = await Deployment.open(options.source);
    await untilFollowing(options);
    const startedMs = performance.now();
    if (options.holdsWrites) hold = await Hold.begin(source);
    screen.note(hold === undefined ? 'writes are not held' : 'writes to the source are held');
    await untilCaughtUp(source, options);
    screen.note('the target has everything; comparing');
    const status = await verify(comparison(options), screen);
    if (status !== 0) {
      await hold?.end();
      screen.event({ event: 'cutover', go: false });
      screen.out(`${screen.paint('red', 'NO-GO')} the sides differ; writes go on at the source`);
      return status === 1 ? 1 : 3;
    }
    const wayBack = options.hasWayBack ? await prepareReturn(options) : undefined;
    giveOrders(options.dir, { isToComplete: true });
    await untilEnded(options.dir);
    if (options.staysHeld) hold?.leave();
    else await hold?.end();
    await wayBack?.finish();
    const seconds = Number(((performance.now() - startedMs) / 1000).toFixed(1));
    screen.event({ event: 'cutover', go: true, seconds, ...(wayBack && { wayBack: wayBack.dir }) });
    screen.out(`${screen.paint('green', 'GO')} the target has taken over after ${seconds} s`);
    if (wayBack !== undefined) {
      screen.out(`The way back: slotline migrate run TARGET SOURCE --dir ${wayBack.dir}`);
    }
    return 0;
  } catch (error) {
    throw asToolError(error);
  } finally {
    await hold?.end();
    source?.close();
  }
}

function comparison(options: CutoverOptions): Parameters<typeof verify>[0] {
  const { source, target, databases, signal } = options;
  return {
    source,
    target,
    databases,
    filters: [],
    sample: 1,
    rate: 0,
    rounds: ROUNDS,
    intervalMs: INTERVAL_MS,
    toleranceMs: 1000,
    repair: undefined,
    signal,
  };
}

/** Holds writes on every master of a deployment, again and again until it is told otherwise. */
class Hold {
  readonly #source: Deployment;
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;

  private constructor(source: Deployment) {
    this.#source = source;
  }

  static async begin(source: Deployment): Promise<Hold> {
    const hold = new Hold(source);
    await hold.#renew();
    hold.#timer = setInterval(() => {
      hold.#renew().catch((error: unknown) => {
        hold.#failure ??= error;
      });
    }, RENEW_MS);
    return hold;
  }

  async #renew(): Promise<void> {
    await this.#each('CLIENT', 'PAUSE', HOLD_MS, 'WRITE');
  }

  /** Lets writes go on. Throws what went wrong meanwhile. */
  async end(): Promise<void> {
    if (this.#timer === undefined) return;
    this.leave();
    await this.#each('CLIENT', 'UNPAUSE');
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Writes are held for HOLD_MS more. */
  leave(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #each(...args: readonly (string | number)[]): Promise<void> {
    const asked = this.#source.masters().map(async (_, master) => {
      await (await this.#source.connection(master)).call(...args);
    });
    await Promise.all(asked);
  }
}

async function untilFollowing({ dir, lagMsMax }: CutoverOptions): Promise<void> {
  await until(dir, lagMsMax, 'the run follows every master', () => {
    const { sources } = readReport(dir).report;
    return sources.length > 0 && sources.every(({ phase }) => phase === 'following');
  });
}

async function untilCaughtUp(source: Deployment, { dir, lagMsMax }: CutoverOptions): Promise<void> {
  const goals = await offsetsOf(source);
  await until(dir, lagMsMax, 'the target has what the source had', () =>
    goals.every(({ name, offset }) =>
      readReport(dir).report.sources.some(
        ({ follows, appliedOffset }) => follows === name && appliedOffset >= offset,
      ),
    ),
  );
}

async function untilEnded(dir: string): Promise<void> {
  const deadlineMs = performance.now() + END_MS;
  while (readReport(dir).isRunning) {
    if (performance.now() > deadlineMs) {
      throw new ToolError('NOT_IN_TIME', `Waited ${END_MS} ms for the run in "${dir}" to end`);
    }
    await pause(POLL_MS);
  }
}

async function until(
  dir: string,
  boundMs: number,
  what: string,
  isTrue: () => boolean,
): Promise<void> {
  const deadlineMs = performance.now() + boundMs;
  while (!isTrue()) {
    if (!readReport(dir).isRunning) {
      throw new ToolError('NODES_REFUSED', `Cannot cut over: the run in "${dir}" has ended`);
    }
    if (performance.now() > deadlineMs) {
      throw new ToolError('NOT_IN_TIME', `Waited ${boundMs} ms until ${what}`);
    }
    await pause(POLL_MS);
  }
}
