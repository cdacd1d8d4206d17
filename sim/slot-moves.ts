/**
 * Resharding as an operator does it: IMPORTING on the destination, MIGRATING on the source, then NODE on both, the
 * destination first. Only slots without keys move. The destination takes a configEpoch that nobody voted for, so moves
 * at the same time collide, and the masters must part again.
 *
 * A limit of the protocol (7.0): a source that takes a fresh configEpoch itself, before its loss of the slot is known to
 * all, leaves nodes that hold it for the owner for good, since its epoch now beats the true owner's. So one master gives
 * and the others take.
 */
import { type Rng, invariant } from '../src/base/index.ts';
import { replyText } from './client.ts';
import type { ClusterSim } from './cluster-sim.ts';
import { type Seat, shardRange } from './layout.ts';

export class SlotMoves {
  readonly #sim: ClusterSim;
  readonly #rng: Rng;
  /** Slots that writers use, and those that have moved or are about to. */
  readonly #taken: Set<number>;

  constructor(sim: ClusterSim, rng: Rng) {
    this.#sim = sim;
    this.#rng = rng;
    this.#taken = new Set(sim.tags.map(({ slot }) => slot));
  }

  /** Begins to move a random slot from the first master to another. Masters must be those of the beginning. */
  moveOne(): void {
    const { layout } = this.#sim;
    const masters = layout.seats.filter((seat) => seat.masterId === undefined);
    const [from, ...others] = masters;
    const to = others[this.#rng.below(others.length)];
    invariant(from !== undefined && to !== undefined, 'slots move between two masters');
    const [first, last] = shardRange(from.shard, layout.shardCount);
    const slot = first + this.#rng.below(last - first + 1);
    if (this.#taken.has(slot)) return;
    this.#taken.add(slot);
    this.#sim.world.note(`move ${from.name} ${to.name}`, slot);
    const setSlot = (seat: Seat, ...how: string[]): { seat: Seat; args: string[] } => ({
      seat,
      args: ['CLUSTER', 'SETSLOT', String(slot), ...how],
    });
    this.#carryOut([
      setSlot(to, 'IMPORTING', from.id),
      setSlot(from, 'MIGRATING', to.id),
      setSlot(to, 'NODE', to.id),
      setSlot(from, 'NODE', to.id),
    ]);
  }

  #carryOut(steps: readonly { readonly seat: Seat; readonly args: readonly string[] }[]): void {
    const [step, ...rest] = steps;
    if (step === undefined) return;
    const { operator, checker } = this.#sim;
    operator.send(this.#sim.machine(step.seat.name), step.args, (reply) => {
      if (reply === 'OK') return this.#carryOut(rest);
      const text = `${step.args.join(' ')} on ${step.seat.name}: ${replyText(reply)}`;
      checker.violate('unexpectedReply', text);
    });
  }
}
