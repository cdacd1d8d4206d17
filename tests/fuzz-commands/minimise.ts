/**
 * Makes a failing program small: leaves out commands, then arguments, then shortens arguments, as long as it still
 * fails in the same way. The check is asked at most `checksMax` times.
 */
import { isHazardous } from './hazards.ts';
import { AT_BEGIN, type Program, type Step, after } from './program.ts';

/** Whether the program still fails in the way that is looked into. */
export type Check = (program: Program) => Promise<boolean>;

/** Tried in place of an argument, simplest first. */
const SIMPLE: readonly string[] = ['', '0', '1', 'a', 'k', '10'];

export class Minimiser {
  readonly #fails: Check;
  #checksLeft: number;

  constructor(fails: Check, checksMax: number) {
    this.#fails = fails;
    this.#checksLeft = checksMax;
  }

  async minimise(program: Program): Promise<Program> {
    let best = program;
    for (let size = Infinity; weight(best) < size;) {
      size = weight(best);
      best = await this.#withoutItems(best, best.steps, (steps) => ({ ...best, steps }));
      best = await this.#smallerSteps(best);
    }
    if (best.protocol === 3) best = await this.#orBetter(best, { ...best, protocol: 2 });
    if (best.events !== '') best = await this.#orBetter(best, { ...best, events: '' });
    return best;
  }

  async #withoutItems<T>(
    start: Program,
    all: readonly T[],
    make: (items: readonly T[]) => Program,
  ): Promise<Program> {
    const items = await fewest(all, (fewer) => this.#stillFails(make(fewer)));
    return items.length < all.length ? make(items) : start;
  }

  async #smallerSteps(start: Program): Promise<Program> {
    let best = start;
    for (let i = 0; i < best.steps.length; i++) {
      const [name, ...args] = best.steps[i]!;
      if (name === undefined) continue;
      const base = best;
      const at = i;
      best = await this.#withoutItems(best, args, (fewer) => replaced(base, at, [name, ...fewer]));
      best = await this.#smallerArguments(best, i);
    }
    return best;
  }

  async #smallerArguments(start: Program, at: number): Promise<Program> {
    let best = start;
    for (let i = 1; i < best.steps[at]!.length; i++) {
      for (const candidate of smaller(best.steps[at]![i]!)) {
        const step = [...best.steps[at]!];
        step[i] = candidate;
        const next = replaced(best, at, step);
        if (!(await this.#stillFails(next))) continue;
        best = next;
        break;
      }
    }
    return best;
  }

  async #orBetter(best: Program, candidate: Program): Promise<Program> {
    return (await this.#stillFails(candidate)) ? candidate : best;
  }

  async #stillFails(program: Program): Promise<boolean> {
    if (this.#checksLeft <= 0 || !isSafe(program.steps)) return false;
    this.#checksLeft--;
    return this.#fails(program);
  }
}

/** Delta debugging: leaves out halves, then quarters, down to single items, as long as the rest fails. */
export async function fewest<T>(
  all: readonly T[],
  fails: (items: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let items = all;
  for (let size = Math.ceil(items.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = 0; at < items.length;) {
      const fewer = [...items.slice(0, at), ...items.slice(at + size)];
      if (await fails(fewer)) items = fewer;
      else at += size;
    }
  }
  return items;
}

function replaced(program: Program, at: number, step: Step): Program {
  return { ...program, steps: program.steps.map((each, i) => (i === at ? step : each)) };
}

/** Simpler forms of an argument, the simplest first. */
function smaller(arg: Buffer): Buffer[] {
  const simple: Buffer[] = SIMPLE.map((text) => Buffer.from(text)).filter((each) =>
    isSimpler(each, arg),
  );
  const middle = arg.length >> 1;
  if (arg.length > 4) simple.push(arg.subarray(0, middle), arg.subarray(middle));
  if (arg.length > 1) simple.push(arg.subarray(1), arg.subarray(0, -1));
  return simple;
}

/** Shorter, or as short and earlier in the list: so no argument is tried for ever. */
function isSimpler(candidate: Buffer, arg: Buffer): boolean {
  if (candidate.length !== arg.length) return candidate.length < arg.length;
  const known = SIMPLE.indexOf(arg.toString('latin1'));
  return known < 0 || SIMPLE.indexOf(candidate.toString()) < known;
}

function isSafe(steps: readonly Step[]): boolean {
  let situation = AT_BEGIN;
  for (const step of steps) {
    if (isHazardous(step, situation)) return false;
    situation = after(step, situation);
  }
  return true;
}

function weight({ steps }: Program): number {
  let size = 0;
  for (const step of steps) for (const arg of step) size += arg.length + 2;
  return size;
}
