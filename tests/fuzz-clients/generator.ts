/**
 * Random programs of several clients. One seed makes one program.
 *
 * Some clients only listen: what a client is told of its own writes (keyspace events, redirected invalidations) stands
 * before or inside its replies there, which no client can count on. SWAPDB is left out, since the order in which keys
 * that became ready are met is that of a hash table there.
 */
import { mixed, pickTemplate } from '../fuzz-commands/generator.ts';
import { type Step, nameOf } from '../fuzz-commands/program.ts';
import { Source } from '../fuzz-commands/source.ts';
import { type Template, draw } from '../fuzz-commands/template.ts';
import {
  CLIENT_COUNT,
  type ClientStep,
  FIRST_LISTENER,
  type Program,
  namedClient,
} from './program.ts';
import {
  BROADCASTS,
  CHANNELS,
  CONNECTIONS,
  EVENT_PATTERNS,
  FLUSHES,
  MUTES,
  QUITS,
  READS,
  TRACKING,
  TRANSACTIONS,
  WAITS,
  WRITES,
} from './vocabulary.ts';

const STEP_COUNT = 150;
const BEHIND = 0.125;
const RESP3_AT_BEGIN = 0.6;
const EVENTS_AT_BEGIN = 0.5;
const WITH_TRACKING = 0.7;
const WITH_TRANSACTIONS = 0.75;
const WITH_MUTES = 0.2;

/** What a program may have, decided once for all of it. */
interface Traits {
  readonly hasTracking: boolean;
  readonly hasTransactions: boolean;
  /** Clients that ask for no replies. */
  readonly hasMutes: boolean;
}

export function makeProgram(seed: number, number: number): Program {
  const source = new Source(mixed(seed, number), []);
  const traits = {
    hasTracking: source.chance(WITH_TRACKING),
    hasTransactions: source.chance(WITH_TRANSACTIONS),
    hasMutes: source.chance(WITH_MUTES),
  };
  const writing = { templates: [...sharedBy(traits), ...WRITES, ...WAITS, ...flushesBy(traits)] };
  // Whether an invalidation or the event of the same key comes first differs from command to command there.
  const events = traits.hasTracking ? [] : EVENT_PATTERNS;
  const listening = { templates: [...sharedBy(traits), ...events] };
  const steps: ClientStep[] = [];
  for (let client = 0; client < CLIENT_COUNT; client++) {
    if (source.chance(RESP3_AT_BEGIN)) {
      steps.push({ client, isBehind: false, step: bytes(['HELLO', '3']) });
    }
  }
  if (source.chance(EVENTS_AT_BEGIN)) {
    const step = bytes(['CONFIG', 'SET', 'notify-keyspace-events', 'KEA']);
    steps.push({ client: 0, isBehind: false, step });
  }
  while (steps.length < STEP_COUNT) {
    const client = source.rng.below(CLIENT_COUNT);
    const template = pickTemplate(client < FIRST_LISTENER ? writing : listening, source);
    if (template === undefined) continue;
    const step = bytes(draw(template, source));
    // Who ends itself in a transaction gets half of the reply there, and who gets no replies stays open.
    if ((traits.hasTransactions || traits.hasMutes) && isSuicide(client, step)) continue;
    steps.push({ client, isBehind: source.chance(BEHIND), step });
  }
  return steps;
}

/** What all clients have, whether they write or not. */
function sharedBy({ hasTracking, hasTransactions, hasMutes }: Traits): readonly Template[] {
  return [
    ...[...READS, ...CHANNELS, ...CONNECTIONS],
    ...(hasTransactions ? TRANSACTIONS : []),
    ...(hasTracking ? TRACKING : []),
    ...(hasTracking && !hasTransactions ? BROADCASTS : []),
    ...(hasMutes ? MUTES : QUITS),
  ];
}

/** In a transaction who tracks is told of it at once there, in the middle of the reply. */
function flushesBy({ hasTracking, hasTransactions }: Traits): readonly Template[] {
  return hasTracking && hasTransactions ? [] : FLUSHES;
}

function isSuicide(client: number, step: Step): boolean {
  return nameOf(step) === 'client|kill' && step.some((arg) => namedClient(arg) === client);
}

function bytes(words: readonly string[]): Step {
  return words.map((word) => Buffer.from(word, 'latin1'));
}
