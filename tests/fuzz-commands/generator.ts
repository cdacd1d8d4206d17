/** Random programs: a few groups of commands on a few keys, with mistakes mixed in. One seed makes one program. */
import { LONG_TEXTS, WORDS } from './edge-values.ts';
import { EXPIRY_GROUP, GENERIC_GROUP, SORT_GROUP, TRANSACTION_GROUP } from './group-generic.ts';
import { HASH_GROUP } from './group-hashes.ts';
import { LIST_GROUP } from './group-lists.ts';
import { SET_GROUP } from './group-sets.ts';
import { GEO_GROUP, SORTED_SET_GROUP } from './group-sorted-sets.ts';
import { STREAM_GROUP } from './group-streams.ts';
import { BITMAP_GROUP, HYPERLOGLOG_GROUP, STRING_GROUP } from './group-strings.ts';
import { partsReplicas, isHazardous } from './hazards.ts';
import { AT_BEGIN, type Program, type Situation, type Step, after } from './program.ts';
import { Source } from './source.ts';
import { type Group, type Template, draw } from './template.ts';

/** Groups of data types, of which a program has up to three. */
const DATA_GROUPS: readonly Group[] = [
  ...[STRING_GROUP, BITMAP_GROUP, HYPERLOGLOG_GROUP, LIST_GROUP, HASH_GROUP, SET_GROUP],
  ...[SORTED_SET_GROUP, GEO_GROUP, STREAM_GROUP, SORT_GROUP],
];
/** Groups that go with any data, and their share of the commands. */
const COMPANIONS: readonly (readonly [Group, share: number])[] = [
  [GENERIC_GROUP, 0.16],
  [EXPIRY_GROUP, 0.07],
  [TRANSACTION_GROUP, 0.05],
];

export const GROUP_NAMES: readonly string[] = [
  ...DATA_GROUPS.map(({ name }) => name),
  ...COMPANIONS.map(([{ name }]) => name),
];

const STEPS_MIN = 40;
const STEPS_MAX = 260;
const MUTATED = 0.06;
const TRIES_MAX = 20;
const EVENT_FLAGS: readonly string[] = ['KEA', 'AKE', 'Kg$x', 'El', 'KEsh', 'Kzt', 'KEAm', 'KEn'];

/** Directives that decide about encodings, with values that are met soon. */
const LIMITS: readonly (readonly [name: string, ...values: string[]])[] = [
  ['hash-max-listpack-entries', '0', '3', '8', '128'],
  ['hash-max-listpack-value', '0', '5', '20', '1024'],
  ['list-max-listpack-size', '1', '3', '8', '-1', '-5', '128'],
  ['list-compress-depth', '1', '2'],
  ['set-max-intset-entries', '0', '3', '8'],
  ['zset-max-listpack-entries', '0', '3', '8', '512'],
  ['zset-max-listpack-value', '0', '5', '20', '1024'],
  ['stream-node-max-entries', '0', '1', '3', '8'],
  ['stream-node-max-bytes', '0', '100', '300'],
  ['hll-sparse-max-bytes', '0', '50', '16000'],
];

export interface Vocabulary {
  /** Names of groups to draw from. */
  readonly groups: ReadonlySet<string>;
  /** Whether both servers have the command. */
  readonly isKnown: (name: string) => boolean;
  /** Leaves out what makes the replicas of Redis itself differ. */
  readonly isReplicated: boolean;
}

export class Generator {
  readonly #data: readonly Group[];
  readonly #isReplicated: boolean;
  readonly #companions: readonly (readonly [Group, number])[];

  constructor({ groups, isKnown, isReplicated }: Vocabulary) {
    this.#isReplicated = isReplicated;
    const known = (group: Group): Group => ({
      ...group,
      templates: group.templates.filter(
        ({ name }) => isKnown(name) || name === 'nosuchcommand' || name === '!transfer',
      ),
    });
    this.#data = DATA_GROUPS.filter(({ name }) => groups.has(name))
      .map((group) => ({ group: known(group), whole: group }))
      // A group that is not built yet has little but SET and its like left.
      .filter(({ group, whole }) => group.templates.length * 2 > whole.templates.length)
      .map(({ group }) => group);
    this.#companions = COMPANIONS.filter(([{ name }]) => groups.has(name)).map(
      ([group, share]) => [known(group), share] as const,
    );
  }

  /** The groups that take part, as far as they are known. */
  get groupNames(): readonly string[] {
    return [...this.#data, ...this.#companions.map(([group]) => group)].map(({ name }) => name);
  }

  program(seed: number, number: number): Program {
    const dice = new Source(mixed(seed, number), []);
    const chosen = this.#chosenGroups(dice);
    const kinds = [...new Set(chosen.flatMap((group) => group.kinds))];
    const source = new Source(mixed(seed, number) ^ 0x5bd1e995, kinds);
    const steps: Step[] = [];
    // Replicas have limits of their own, on which the digest of a HyperLogLog or of a score of -0 depends.
    if (!this.#isReplicated && source.chance(0.4)) steps.push(limits(source));
    const size = source.between(STEPS_MIN, STEPS_MAX);
    let situation = AT_BEGIN;
    while (steps.length < size) {
      const step = this.#step(source, chosen, situation);
      steps.push(step);
      situation = after(step, situation);
    }
    return {
      protocol: source.chance(0.4) ? 3 : 2,
      events: source.chance(0.25) ? source.pick(EVENT_FLAGS) : '',
      steps,
    };
  }

  #chosenGroups(dice: Source): Group[] {
    const left = [...this.#data];
    const chosen: Group[] = [];
    for (let count = dice.between(1, 3); count > 0 && left.length > 0; count--) {
      chosen.push(...left.splice(dice.rng.below(left.length), 1));
    }
    return chosen.length > 0 ? chosen : this.#companions.map(([group]) => group);
  }

  #step(source: Source, chosen: readonly Group[], situation: Situation): Step {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const template = pickTemplate(this.#group(source, chosen), source);
      if (template === undefined) continue;
      const words = draw(template, source);
      if (source.chance(MUTATED) && !template.name.startsWith('!')) mutate(words, source);
      if (source.chance(0.05)) words[0] = words[0]!.toUpperCase();
      const step = words.map((word) => Buffer.from(word, 'latin1'));
      if (isHazardous(step, situation)) continue;
      if (!this.#isReplicated || !partsReplicas(step)) return step;
    }
    return [Buffer.from('dbsize')];
  }

  #group(source: Source, chosen: readonly Group[]): Group {
    let dice = source.rng.float();
    for (const [group, share] of this.#companions) {
      dice -= share;
      if (dice < 0) return group;
    }
    return source.pick(chosen);
  }
}

/** The seed of one program out of the seed of the run. */
export function mixed(seed: number, number: number): number {
  return Math.imul(seed ^ Math.imul(number + 1, 0x9e3779b1), 0x85ebca6b) | 0;
}

/** One of them, each as often as its weight says; undefined when there is none. */
export function pickTemplate(
  { templates }: Pick<Group, 'templates'>,
  source: Source,
): Template | undefined {
  let dice = source.rng.float() * templates.reduce((sum, { weight }) => sum + weight, 0);
  for (const template of templates) {
    dice -= template.weight;
    if (dice < 0) return template;
  }
  return templates[0];
}

function limits(source: Source): Step {
  const words = ['CONFIG', 'SET'];
  for (const [name, ...values] of LIMITS) {
    if (source.chance(0.6)) words.push(name, source.pick(values));
  }
  if (words.length === 2) words.push('hash-max-listpack-entries', '4');
  return words.map((word) => Buffer.from(word));
}

/** One mistake somewhere behind the name. */
function mutate(words: string[], source: Source): void {
  const at = source.between(1, words.length);
  const other = source.between(1, words.length);
  switch (source.rng.below(7)) {
    case 0:
      words.splice(at, 1);
      break;
    case 1:
      words.splice(at, 0, words[at] ?? '');
      break;
    case 2:
      if (at < words.length && other < words.length) {
        [words[at], words[other]] = [words[other]!, words[at]!];
      }
      break;
    case 3:
      words[at] = source.chance(0.5) ? source.pick(WORDS) : source.freshText();
      break;
    case 4:
      words.splice(at, 0, source.pick(WORDS));
      break;
    case 5:
      words.splice(at);
      break;
    default:
      words[at] = source.chance(0.5) ? source.integer() : source.pick(LONG_TEXTS);
  }
}

/** CONFIG SET that undoes every `limits`. */
export function defaultLimits(): Step {
  const words = ['CONFIG', 'SET', ...LIMITS.flatMap(([name]) => [name, LIMIT_DEFAULTS[name]!])];
  return words.map((word) => Buffer.from(word));
}

const LIMIT_DEFAULTS: Readonly<Record<string, string>> = {
  'hash-max-listpack-entries': '512',
  'hash-max-listpack-value': '64',
  'list-max-listpack-size': '-2',
  'list-compress-depth': '0',
  'set-max-intset-entries': '512',
  'zset-max-listpack-entries': '128',
  'zset-max-listpack-value': '64',
  'stream-node-max-entries': '100',
  'stream-node-max-bytes': '4096',
  'hll-sparse-max-bytes': '3000',
};
