/**
 * Goal: the fuzzer itself can be trusted: it makes the same programs of a seed, judges replies rightly, and makes what
 * fails small. Method: its parts without servers; a planted bug is a function of the program.
 */
import { expect, test } from 'vitest';
import { GROUP_NAMES, Generator } from './generator.ts';
import { isHazardous } from './hazards.ts';
import { type Replies, judgeOf } from './judges.ts';
import { Minimiser } from './minimise.ts';
import { AT_BEGIN, type Program, type Step, after, lower } from './program.ts';
import { lineOf, parseScript, scriptOf } from './script.ts';
import { aggregate, encodeSteps, leaves, replyEnd } from './wire.ts';

const PROGRAMS = 300;

const everything = { groups: new Set(GROUP_NAMES), isKnown: () => true, isReplicated: false };

function step(line: string): Step {
  return parseScript(line).steps[0] ?? [];
}

function program(...lines: readonly string[]): Program {
  return { protocol: 2, events: '', steps: lines.map(step) };
}

function replies(...texts: readonly string[]): Replies {
  const [reply = Buffer.alloc(0), ...probes] = texts.map((text) => Buffer.from(text, 'latin1'));
  return [reply, ...probes];
}

function agree(line: string, ours: Replies, real: Replies): boolean {
  const command = step(line);
  return judgeOf(command).agree(ours, real, command);
}

test('a seed and a number make the same program again, another seed another', () => {
  const [one, two] = [new Generator(everything), new Generator(everything)];
  for (let number = 0; number < 20; number++) {
    const text = scriptOf(one.program(7, number));
    expect(scriptOf(two.program(7, number))).toBe(text);
    expect(scriptOf(two.program(8, number))).not.toBe(text);
  }
});

test('programs are free of hazards, and all commands come up', () => {
  const generator = new Generator(everything);
  const seen = new Set<string>();
  const unsafe: string[] = [];
  for (let number = 0; number < PROGRAMS; number++) {
    let situation = AT_BEGIN;
    for (const each of generator.program(1, number).steps) {
      if (isHazardous(each, situation)) unsafe.push(lineOf(each));
      situation = after(each, situation);
      seen.add(lower(each, 0));
    }
  }
  expect(unsafe).toEqual([]);
  for (const name of ['blmpop', 'xautoclaim', 'geosearchstore', 'lcs', 'zinterstore', 'sort_ro']) {
    expect(seen).toContain(name);
  }
});

test('only known commands come up, and no group without its own', () => {
  const known = new Set(['get', 'set', 'append', 'mset', 'mget', 'incr', 'incrby', 'decr', 'del']);
  for (const name of ['getrange', 'setrange', 'strlen', 'setex', 'getset', 'setnx'])
    known.add(name);
  for (const name of ['getdel', 'psetex', 'msetnx', 'substr', 'decrby']) known.add(name);
  const generator = new Generator({ ...everything, isKnown: (name) => known.has(name) });
  expect(generator.groupNames).not.toContain('list');
  expect(generator.groupNames).toContain('string');
  for (let number = 0; number < 20; number++) {
    const names = generator.program(1, number).steps.map((each) => lower(each, 0));
    const others = ['config', 'dbsize', 'nosuchcommand', '!transfer'];
    expect(names.filter((name) => !known.has(name) && !others.includes(name))).toEqual([]);
  }
});

test('a hazard is what is close to now or never ends', () => {
  const isUnsafe = (line: string, isInMulti = false): boolean =>
    isHazardous(step(line), { ...AT_BEGIN, isInMulti });
  expect(isUnsafe('set k v EX 1')).toBe(true);
  expect(isUnsafe('set k v EX 200000')).toBe(false);
  expect(isUnsafe('set k 1 EX -1')).toBe(false);
  expect(isUnsafe('expireat k 1700000000')).toBe(true);
  expect(isUnsafe('expireat k 4102444800')).toBe(false);
  expect(isUnsafe('blpop k 0')).toBe(true);
  expect(isUnsafe('blpop k 0', true)).toBe(false);
  expect(isUnsafe('blpop k 0.01')).toBe(false);
  expect(isUnsafe('xread BLOCK 0 streams k 0')).toBe(true);
  expect(isUnsafe('srandmember k -2000000000')).toBe(true);
  expect(isUnsafe('xclaim k g c 5 1-1')).toBe(true);
  expect(after(step('exec k'), { ...AT_BEGIN, isInMulti: true }).isInMulti).toBe(false);
  expect(isHazardous(step('sort k'), after(step('zadd z 1e-400 m'), AT_BEGIN))).toBe(true);
  expect(isHazardous(step('sort k'), after(step('zadd z 1e-300 m'), AT_BEGIN))).toBe(false);
  const bytes = step('bitfield bitmap2 set u3 128 0');
  expect(isHazardous(bytes, after(step('pfadd bitmap2 e'), AT_BEGIN))).toBe(true);
  expect(isHazardous(bytes, after(step('pfadd hll1 e'), AT_BEGIN))).toBe(false);
});

test('a planted bug is found and reduced to the commands and arguments that it needs', async () => {
  // "Broken": APPEND to a key that was set to something with a zero byte, once its expiry was removed.
  const fails = async ({ steps }: Program): Promise<boolean> => {
    const zeros = new Set<string>();
    const armed = new Set<string>();
    for (const each of steps) {
      const key = String(each[1]);
      if (lower(each, 0) === 'set' && each[2]?.includes(0) === true) zeros.add(key);
      if (lower(each, 0) === 'persist' && zeros.has(key)) armed.add(key);
      if (lower(each, 0) === 'append' && armed.has(key)) return true;
    }
    return false;
  };
  const noise = Array.from({ length: 100 }, (_, i) => `set other${i} value${i} EX 200000`);
  const start = program(
    ...noise,
    'set key "first part \\x00 last part" EX 300000 NX',
    ...noise,
    'persist key',
    'rpush list a b c d e f',
    'append key something',
  );
  const small = await new Minimiser(fails, 3000).minimise(start);
  expect(small.steps.map((each) => lower(each, 0))).toEqual(['set', 'persist', 'append']);
  expect(small.steps.map((each) => each.length)).toEqual([3, 2, 2]);
  expect(small.steps[0]?.[2]?.length).toBeLessThan(12);
});

test('the minimiser asks no more often than it may', async () => {
  let asked = 0;
  const fails = async (): Promise<boolean> => ++asked % 3 === 0;
  await new Minimiser(fails, 40).minimise(program(...Array.from({ length: 90 }, () => 'get a')));
  expect(asked).toBeLessThanOrEqual(40);
});

test('a script is read back as it was written, whatever the bytes', () => {
  const odd = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  const before: Program = {
    protocol: 3,
    events: 'KEA',
    steps: [[Buffer.from('set'), Buffer.from(''), odd], step('get "a b"')],
  };
  expect(parseScript(scriptOf(before))).toEqual(before);
});

test('replies are told apart wherever the bytes are cut', () => {
  const stream = '*2\r\n$1\r\na\r\n%1\r\n+k\r\n,1.5\r\n*-1\r\n$-1\r\n_\r\n-ERR x\r\n~1\r\n:1\r\n';
  const buf = Buffer.from(stream);
  const cut: string[] = [];
  for (let at = 0; at < buf.length;) {
    const end = replyEnd(buf, at);
    for (let part = at; part < end; part++) expect(replyEnd(buf.subarray(0, part), at)).toBe(-1);
    cut.push(buf.toString('latin1', at, end));
    at = end;
  }
  expect(cut).toHaveLength(6);
  expect(aggregate(Buffer.from(cut[0]!))?.items.map(String)).toEqual([
    '$1\r\na\r\n',
    '%1\r\n+k\r\n,1.5\r\n',
  ]);
  expect(leaves(Buffer.from(cut[0]!))).toEqual(['$1\r\na\r\n', '+k\r\n', ',1.5\r\n']);
  expect(encodeSteps([step('get ab')]).toString()).toBe('*2\r\n$3\r\nget\r\n$2\r\nab\r\n');
});

test('members may come in any order only out of a hash table', () => {
  const [one, two] = ['*2\r\n$1\r\na\r\n$1\r\nb\r\n', '*2\r\n$1\r\nb\r\n$1\r\na\r\n'];
  const [table, packed] = ['$9\r\nhashtable\r\n', '$8\r\nlistpack\r\n'];
  expect(agree('hkeys k', replies(one, table), replies(two, table))).toBe(true);
  expect(agree('hkeys k', replies(one, packed), replies(two, packed))).toBe(false);
  expect(agree('hkeys k', replies(one, packed), replies(one, table))).toBe(false);
  expect(agree('lrange k 0 -1', replies(one), replies(two))).toBe(false);
});

test('SPOP must take members that were there, as many as the real one', () => {
  const taken = (members: readonly string[]): string =>
    `*${members.length}\r\n${members.map((each) => `$1\r\n${each}\r\n`).join('')}`;
  const real = replies(taken(['a']), taken(['b', 'c']));
  expect(agree('spop k 1', replies(taken(['c']), taken(['a', 'b'])), real)).toBe(true);
  expect(agree('spop k 1', replies(taken(['x']), taken(['a', 'b'])), real)).toBe(false);
  expect(agree('spop k 1', replies(taken(['c']), taken(['a', 'c'])), real)).toBe(false);
  expect(agree('spop k 1', replies(taken(['a', 'c']), taken(['b'])), real)).toBe(false);
});

test('times may be a little off, special answers not', () => {
  expect(agree('pttl k', replies(':100000\r\n'), replies(':100900\r\n'))).toBe(true);
  expect(agree('pttl k', replies(':100000\r\n'), replies(':900000\r\n'))).toBe(false);
  expect(agree('pttl k', replies(':-1\r\n'), replies(':0\r\n'))).toBe(false);
});

test('a walk that saw everything at once saw the same, in any order', () => {
  const [one, two] = ['$1\r\na\r\n', '$1\r\nb\r\n'];
  const seen = (cursor: string, ...items: readonly string[]): Replies =>
    replies(`*2\r\n$1\r\n${cursor}\r\n*${items.length}\r\n${items.join('')}`);
  const line = 'sscan k 0 count 1000';
  expect(judgeOf(step(line)).isWalk).toBeUndefined();
  expect(agree(line, seen('0', one, two), seen('0', two, one))).toBe(true);
  expect(agree(line, seen('0', one), seen('0', two))).toBe(false);
  expect(agree(line, seen('7', one), seen('0', two, one))).toBe(true);
  expect(judgeOf(step('sscan k 0 count 5')).isWalk).toBe(true);
});

test('SORT by nothing keeps the order of lists and sorted sets, and by numbers that of the elements', () => {
  const [mine, theirs] = ['*2\r\n$1\r\na\r\n$1\r\nb\r\n', '*2\r\n$1\r\nb\r\n$1\r\na\r\n'];
  const differ = (line: string, type: string): boolean =>
    !agree(line, replies(mine, `+${type}\r\n`), replies(theirs, `+${type}\r\n`));
  expect(differ('sort k by nosort desc', 'list')).toBe(true);
  expect(differ('sort_ro k by nosort', 'zset')).toBe(true);
  expect(differ('sort k by nosort', 'set')).toBe(false);
  expect(differ('sort k by nosort by w*', 'set')).toBe(false);
  expect(differ('sort k by w_*', 'list')).toBe(true);
  expect(differ('sort k by w_* alpha', 'list')).toBe(false);
  expect(agree('sort k by nosort', replies(mine), replies(theirs))).toBe(true);
});
