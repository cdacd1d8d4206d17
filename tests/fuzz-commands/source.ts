/** The dice of one program: its keys, members and values, and how arguments are drawn from them. */
import { type Rng, seededRng } from '../../src/base/index.ts';
import { EDGE_FLOATS, EDGE_INTEGERS, LONG_TEXTS, SHORT_TEXTS } from './edge-values.ts';

/** What a key is used for mostly. */
export type Kind =
  'string' | 'bitmap' | 'list' | 'hash' | 'set' | 'zset' | 'stream' | 'hll' | 'geo' | 'number';

const MEMBERS_PER_PROGRAM = 14;
const GROUPS: readonly string[] = ['g1', 'g2', 'G'];
const CONSUMERS: readonly string[] = ['alice', 'bob', 'c\x00d', ''];

/** Values drawn from one seed: the same seed draws the same. */
export class Source {
  readonly rng: Rng;
  /** All keys of the program, the odd ones included. */
  readonly keys: readonly string[];
  readonly #homes: ReadonlyMap<Kind, readonly string[]>;
  readonly #members: readonly string[];

  constructor(seed: number, kinds: readonly Kind[]) {
    this.rng = seededRng(seed);
    const homes = new Map<Kind, string[]>();
    const keys: string[] = [];
    for (const kind of kinds) {
      const own = Array.from({ length: 2 + this.rng.below(2) }, (_, i) => `${kind}${i}`);
      homes.set(kind, own);
      keys.push(...own);
    }
    if (this.chance(0.3)) keys.push(this.pick(['', 'a\x00b', 'k'.repeat(70), '{a}x', '7']));
    this.keys = keys;
    this.#homes = homes;
    this.#members = Array.from({ length: MEMBERS_PER_PROGRAM }, () => this.freshText());
  }

  chance(probability: number): boolean {
    return this.rng.float() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.rng.below(items.length)]!;
  }

  /** From `first` to `last`, both included. */
  between(first: number, last: number): number {
    return first + this.rng.below(last - first + 1);
  }

  /** Mostly a key of that kind, sometimes one of another, seldom one that no command fills. */
  key(kind: Kind): string {
    const own = this.#homes.get(kind);
    if (own !== undefined && this.chance(0.9)) return this.pick(own);
    return this.chance(0.9) ? this.pick(this.keys) : this.pick(['missing', 'none', '']);
  }

  anyKey(): string {
    return this.chance(0.95) ? this.pick(this.keys) : 'missing';
  }

  /** A member, field or value that this program uses again and again; now and then another. */
  member(): string {
    return this.chance(0.93) ? this.pick(this.#members) : this.freshText();
  }

  freshText(): string {
    const dice = this.rng.below(20);
    if (dice < 6) return this.pick(SHORT_TEXTS);
    if (dice < 8) return this.pick(LONG_TEXTS);
    if (dice < 10) return this.pick(EDGE_INTEGERS);
    if (dice < 11) return this.pick(EDGE_FLOATS);
    if (dice < 15) return String(this.between(-20, 150));
    return `m${this.between(0, 40)}`;
  }

  /** A whole number, or what somebody could take for one. */
  integer(): string {
    if (this.chance(0.75)) return String(this.between(-6, 25));
    return this.chance(0.6) ? String(this.between(-700, 700)) : this.pick(EDGE_INTEGERS);
  }

  /** Position in something small, from either end. */
  index(): string {
    return this.chance(0.9) ? String(this.between(-9, 12)) : this.integer();
  }

  float(): string {
    if (this.chance(0.4)) return String(this.between(-5, 12));
    if (this.chance(0.3)) return String(this.between(-4000, 4000) / 16);
    return this.pick(EDGE_FLOATS);
  }

  group(): string {
    return this.chance(0.93) ? this.pick(GROUPS) : this.member();
  }

  consumer(): string {
    return this.chance(0.95) ? this.pick(CONSUMERS) : this.member();
  }

  streamId(): string {
    const dice = this.rng.below(20);
    if (dice < 10) return `${this.between(0, 12)}-${this.between(0, 4)}`;
    if (dice < 14) return String(this.between(0, 12));
    if (dice < 16) return this.pick(['$', '>', '*', '-', '+', '0', '0-0', '5-*', '12-*', '-*']);
    return this.pick([
      ...['18446744073709551615-18446744073709551615', '18446744073709551615', '1-', '-1', 'a-1'],
      ...['18446744073709551615-0', '0-18446744073709551615', '18446744073709551616', '1-2-3'],
      ...['(5-1', '(5', '(0-0', '(-', '(+', '(18446744073709551615-18446744073709551615', '', '07'],
      ...['9223372036854775807-1', '9223372036854775808-0', '1-01', '1-18446744073709551616'],
    ]);
  }

  /** Far from now, so that nothing expires while a program runs; or past, or senseless. */
  relativeTime(): string {
    if (this.chance(0.6)) return String(this.between(200_000, 2_000_000_000));
    return this.pick([
      ...['0', '-1', '-1000', '9223372036854775807', '92233720368547758', '-9223372036854775808'],
      ...['9223372036854775808', '-9223372036854776', 'abc', '', '1.5', ' 1'],
    ]);
  }

  absoluteTime(): string {
    if (this.chance(0.6))
      return this.pick(['4102444800', '4102444800000', '4102444801', '4102444801000']);
    return this.pick([
      ...['0', '1', '-1', '1000', '1500000000', '9223372036854775807', '9223372036854775'],
      ...['9223372036854775808', '-9223372036854775808', '-9223372036854776', 'x', '', '1.5'],
    ]);
  }
}
