/**
 * Goal: `slotline verify` finds every difference and nothing else, also while the source is written to; and mends them.
 * Method: a server with many keys of every type and a replica that may be written to. A few keys of the replica, one in
 * ten thousand, are changed in one way each; what is found is compared with what was changed, under writes to other keys,
 * which the replica gets a little later.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Rng, seededRng } from '../../src/base/index.ts';
import { MixedLoad } from '../interop/harness/mixed-load.ts';
import { NodeProcess, freePorts } from '../interop/harness/node-process.ts';
import { FAR_FUTURE_MS, type Send } from '../interop/harness/samples.ts';
import { runSlotline } from '../interop/harness/slotline.ts';
import { until } from '../interop/harness/until.ts';

export interface SeededDifferences {
  readonly dir: string;
  readonly exe: string;
  /** At least 120,000, of every type. */
  readonly keys: number;
  /** Times that differences are put in, found and mended. */
  readonly rounds: number;
  readonly seed: number;
  readonly tell?: (round: number, what: string) => void;
}

const SHARE = 10_000;
const SYNC_BOUND_MS = 60_000;
const VERIFY = ['--rounds', '3', '--interval', '200', '--json'];
/** Keys that are overwritten together by the load on strings. */
const WRITES = 50;

/**
 * Makes keys `from` to `to` of ten kinds in turn, so that the last digit of a key's number tells its type: strings, and
 * from 4 on a hash, a list, a set, a sorted set, and two streams with a group. A third expires, far away.
 */
const FILL = `
for i = tonumber(ARGV[1]), tonumber(ARGV[2]) - 1 do
  local key, kind = 'key:' .. i, i % 10
  if kind < 4 then redis.call('SET', key, 'value ' .. i .. string.rep('x', i % 90))
  elseif kind == 4 then redis.call('HSET', key, 'a', i, 'b', 'text', 'c', i * 7)
  elseif kind == 5 then redis.call('RPUSH', key, 'one', i, 'two', i + 1)
  elseif kind == 6 then redis.call('SADD', key, 'one', 'two', i)
  elseif kind == 7 then redis.call('ZADD', key, 1, 'one', i, 'two', 2.5, 'three')
  else
    for n = 1, 3 do redis.call('XADD', key, n .. '-1', 'field', i) end
    redis.call('XGROUP', 'CREATE', key, 'group', '0')
    redis.call('XREADGROUP', 'GROUP', 'group', 'reader', 'COUNT', 2, 'STREAMS', key, '>')
  end
  if i % 3 == 0 then redis.call('PEXPIREAT', key, ARGV[3]) end
end`;
const FILL_KEYS = 20_000;

type Expected = ReadonlyMap<string, string>;

/** Each kind of difference: the last digit of the keys it is for, what is done to one, and how it must be found. */
const KINDS: readonly (readonly [
  digit: number,
  found: string,
  commands: (key: string) => readonly (readonly (string | number)[])[],
])[] = [
  [0, 'onlyOnSource', (key) => [['DEL', key]]],
  [1, 'value', (key) => [['SETRANGE', key, 3, 'UE']]],
  [2, 'ttl', (key) => [['PEXPIREAT', key, FAR_FUTURE_MS + 60_000]]],
  [3, 'type', (key) => [['DEL', key], ['RPUSH', key, 'value']]], // prettier-ignore
  [4, 'value', (key) => [['HSET', key, 'b', 'other']]],
  [4, 'value', (key) => [['HDEL', key, 'c']]],
  [5, 'value', (key) => [['LMOVE', key, key, 'LEFT', 'RIGHT']]],
  [6, 'value', (key) => [['SADD', key, 'three']]],
  [7, 'value', (key) => [['ZINCRBY', key, 1, 'one']]],
  [8, 'value', (key) => [['XGROUP', 'SETID', key, 'group', '1-1']]],
  [9, 'value', (key) => [['XACK', key, 'group', '1-1']]],
  [0, 'onlyOnTarget', (key) => [['SET', `extra:${key}`, 1]]],
];

/** Answers how many differences were put in, and found. Throws when others were found, or fewer. */
export async function seededDifferences(options: SeededDifferences): Promise<number> {
  const { dir, exe, rounds, seed, tell } = options;
  const [sourcePort = 0, targetPort = 0] = await freePorts(2);
  const config = ['repl-diskless-sync-delay 0', 'replica-read-only no'];
  const nodes = [sourcePort, targetPort].map(
    (port) => new NodeProcess({ exe, port, dir: `${dir}/${port}`, config }),
  );
  const [source, target] = nodes as [NodeProcess, NodeProcess];
  try {
    await Promise.all(nodes.map((node) => node.start()));
    await fill(source, options.keys);
    await target.call('REPLICAOF', '127.0.0.1', sourcePort);
    await until(
      async () => (await target.facts('INFO')).get('master_link_status') === 'up',
      SYNC_BOUND_MS,
      'the replica is in step',
    );
    const rng = seededRng(seed);
    let count = 0;
    for (let round = 1; round <= rounds; round++) {
      count += await oneRound({ source, target, keys: options.keys, rng });
      tell?.(round, `${count} differences found, and nothing else`);
    }
    return count;
  } finally {
    await Promise.all(nodes.map((node) => node.kill()));
  }
}

async function fill(source: NodeProcess, keys: number): Promise<void> {
  for (let from = 0; from < keys; from += FILL_KEYS) {
    await source.call('EVAL', FILL, 0, from, Math.min(keys, from + FILL_KEYS), FAR_FUTURE_MS);
  }
}

interface Round {
  readonly source: NodeProcess;
  readonly target: NodeProcess;
  readonly keys: number;
  readonly rng: Rng;
}

async function oneRound({ source, target, keys, rng }: Round): Promise<number> {
  const expected = await putIn((...args) => target.call(...args), keys, rng);
  const ends = [source, target].map(({ port }) => `127.0.0.1:${port}`);
  const stop = startLoad(source, keys, expected);
  try {
    const first = await runSlotline('verify', ...ends, ...VERIFY);
    expectFound(first.stdout, expected, 'under writes');
    const mended = await runSlotline('verify', ...ends, ...VERIFY, '--repair', 'target');
    if (mended.status !== 0) throw new Error(`Not mended: ${mended.stdout}${mended.stderr}`);
    const last = await runSlotline('verify', ...ends, ...VERIFY);
    expectFound(last.stdout, new Map(), 'after the repair, under writes');
  } finally {
    await stop();
  }
  return expected.size;
}

/** Changes one key in each SHARE on the target, in every way in turn. */
async function putIn(send: Send, keys: number, rng: Rng): Promise<Expected> {
  const expected = new Map<string, string>();
  const used = new Set<number>();
  for (let n = 0; n < Math.max(KINDS.length, keys / SHARE); n++) {
    const [digit = 0, kind = '', commands = () => []] = KINDS[n % KINDS.length] ?? [];
    let number = 0;
    do number = rng.below(Math.floor(keys / 10)) * 10 + digit;
    while (used.has(number));
    used.add(number);
    for (const command of commands(`key:${number}`)) await send(...command);
    expected.set(kind === 'onlyOnTarget' ? `extra:key:${number}` : `key:${number}`, kind);
  }
  return expected;
}

/** Writes to keys of its own, many times a second each, and overwrites strings that were not changed. */
function startLoad(source: NodeProcess, keys: number, expected: Expected): () => Promise<void> {
  const send: Send = (...args) => source.call(...args);
  const mixed = new MixedLoad(send, { isOneSlotEach: true });
  let isStopped = false;
  const strings = (async (): Promise<void> => {
    for (let n = 0; !isStopped; n += WRITES) {
      const numbers = Array.from({ length: WRITES }, (_, i) => ((n + i) * 7919 * 10) % keys);
      const free = numbers.filter((number) => !expected.has(`key:${number}`));
      await Promise.all(free.map((number) => send('SET', `key:${number}`, `new ${n}`, 'KEEPTTL')));
      await pause(1);
    }
  })();
  return async () => {
    isStopped = true;
    await Promise.all([strings, mixed.stop()]);
  };
}

function expectFound(stdout: string, expected: Expected, when: string): void {
  const lines = stdout.split('\n').filter((line) => line !== '');
  const events = lines.map(
    (line) => JSON.parse(line) as { event: string; key: string; kind: string },
  );
  const found = new Map(
    events.filter(({ event }) => event === 'difference').map(({ key, kind }) => [key, kind]),
  );
  const wrong = [
    ...[...expected]
      .filter(([key, kind]) => found.get(key) !== kind)
      .map(([key, kind]) => `${key} ${kind} was not found`),
    ...[...found]
      .filter(([key]) => !expected.has(key))
      .map(([key, kind]) => `${key} ${kind} was found`),
  ];
  if (events.at(-1)?.event !== 'summary') wrong.push(`there is no summary: ${stdout}`);
  if (wrong.length > 0) throw new Error(`Verify ${when}: ${wrong.join(', ')}`);
}
