/** Moves of slots that writers use, by CLUSTER MIGRATESLOTS: each begins wherever the newest owner is, whatever happens to it. */
import type { Rng } from '../src/base/index.ts';
import type { ClusterSim } from './cluster-sim.ts';
import type { Machine } from './machine.ts';

export class AtomicMoves {
  readonly #sim: ClusterSim;
  readonly #rng: Rng;
  readonly #ids: ReadonlyMap<string, string>;

  constructor(sim: ClusterSim, rng: Rng) {
    this.#sim = sim;
    this.#rng = rng;
    this.#ids = new Map(sim.layout.seats.map(({ name, id }) => [name, id]));
  }

  /** Begins to move one watched slot, or all that its owner has, to another master. What is answered promises nothing. */
  moveOne(): Machine | undefined {
    const { checker, machines, operator, tags, world } = this.#sim;
    const { slot } = tags[this.#rng.below(tags.length)]!;
    const from = machines.find(({ name }) => name === checker.ownerOf(slot));
    const others = machines.filter(
      (machine) => machine !== from && machine.isRunning && checker.roleOf(machine) === 'master',
    );
    const to = others[this.#rng.below(others.length)];
    if (from?.isRunning !== true || to === undefined) return undefined;
    const isWide = this.#rng.below(3) === 0;
    const slots = isWide
      ? tags.filter((tag) => checker.ownerOf(tag.slot) === from.name).map((tag) => tag.slot)
      : [slot];
    const ranges = slots.flatMap((each) => [String(each), String(each)]);
    world.note(`atomic move ${from.name} ${to.name}`, slot);
    const words = ['SLOTSRANGE', ...ranges, 'NODE', this.#ids.get(to.name)!];
    operator.send(from, ['CLUSTER', 'MIGRATESLOTS', ...words], () => undefined);
    return this.#rng.below(2) === 0 ? from : to;
  }

  cancel(): void {
    const { machines, operator } = this.#sim;
    const running = machines.filter(({ isRunning }) => isRunning);
    const machine = running[this.#rng.below(running.length)];
    if (machine !== undefined) {
      operator.send(machine, ['CLUSTER', 'CANCELSLOTMIGRATIONS'], () => undefined);
    }
  }
}
