/**
 * Goal: the fuzzer of several clients can be trusted: it makes the same programs of a seed, takes for equal what is equal
 * and nothing else, and makes what fails small. Method: its parts without servers; a planted bug is a function of the
 * program.
 */
import { expect, test } from 'vitest';
import { nameOf } from '../fuzz-commands/program.ts';
import { parseClientList } from './control.ts';
import { type Finding, compare, describe as describeFinding } from './finding.ts';
import { makeProgram } from './generator.ts';
import { investigate, report } from './investigation.ts';
import { countMessages, normalForm } from './normal-form.ts';
import { FIRST_LISTENER, type Program, namedClient } from './program.ts';
import { parseScript, scriptOf } from './script.ts';
import { readSettings } from './settings.ts';
import type { Outcome } from './side.ts';

const PROGRAMS = 200;

const NAMES = new Map([
  ['1234', '@0'],
  ['12345', '@1'],
]);

function normal(text: string): string {
  return normalForm(Buffer.from(text, 'latin1'), NAMES);
}

function confirmations(kind: string, ...channels: readonly string[]): string {
  return channels
    .map((channel, i) => {
      const left = channels.length - 1 - i;
      return `*3\r\n$${kind.length}\r\n${kind}\r\n$${channel.length}\r\n${channel}\r\n:${left}\r\n`;
    })
    .join('');
}

test('a seed and a number make the same program again, another seed another', () => {
  for (let number = 0; number < 20; number++) {
    const text = scriptOf(makeProgram(7, number));
    expect(scriptOf(makeProgram(7, number))).toBe(text);
    expect(scriptOf(makeProgram(8, number))).not.toBe(text);
  }
});

test('what the two servers are known to do differently does not come up', () => {
  const seen = new Set<string>();
  const wrong: string[] = [];
  const listenersRead = /^(?:lrange|zrange|exists|type|mget|xread|get|watch)$/;
  const isOfKeys = /^(?:[lrbhzsx]|del|rename|copy|move|eval|append|getdel|expire|flush|config)/;
  const isOther = /^(?:lrange|subscribe|ssubscribe|sunsubscribe|spublish|select|reset|hello)$/;
  for (let number = 0; number < PROGRAMS; number++) {
    const program = makeProgram(1, number);
    const names = new Set(program.map(({ step }) => nameOf(step)));
    for (const name of names) seen.add(name);
    for (const each of program) {
      const name = nameOf(each.step);
      const isListener = each.client >= FIRST_LISTENER;
      const writes = isOfKeys.test(name) && !listenersRead.test(name) && !isOther.test(name);
      if (isListener && writes) wrong.push(scriptOf([each]));
      const isOwn = each.step.some((arg) => namedClient(arg) === each.client);
      if (name === 'client|kill' && isOwn && names.has('multi')) wrong.push(scriptOf([each]));
    }
    const isFlushed = names.has('flushall') || names.has('flushdb');
    if (isFlushed && names.has('multi') && names.has('client|tracking')) wrong.push('flush');
    if (names.has('quit') && names.has('client|reply')) wrong.push('quit');
  }
  expect(wrong).toEqual([]);
  for (const name of ['swapdb', 'pubsub|channels']) expect(seen).not.toContain(name);
  for (const name of ['blmpop', 'xreadgroup', 'exec', 'psubscribe', 'client|tracking', 'eval']) {
    expect(seen).toContain(name);
  }
});

test('a script is read back as it was written', () => {
  for (let number = 0; number < 5; number++) {
    const program = makeProgram(3, number);
    expect(parseScript(scriptOf(program))).toEqual(program);
  }
  expect(parseScript('# a remark\n\n2+: GET "a \\x00"\n')).toEqual([
    { client: 2, isBehind: true, step: [Buffer.from('GET'), Buffer.from('a \x00')] },
  ]);
  expect(() => parseScript('7: PING')).toThrow('no client from 0 to 4');
  expect(() => parseScript('PING')).toThrow('Cannot read line "PING"');
});

test('ids of clients are known by name, wherever they stand, and other numbers stay', () => {
  expect(normal(':1234\r\n$5\r\n12345\r\n:12346\r\n:123\r\n')).toBe(
    ':@0\r\n@1\r\n:12346\r\n:123\r\n',
  );
  expect(normal('>2\r\n$21\r\ntracking-redir-broken\r\n:1234\r\n')).toContain(':@0\r\n');
  expect(namedClient(Buffer.from('@4'))).toBe(4);
  expect(namedClient(Buffer.from('@5'))).toBeUndefined();
});

test('HELLO may tell another version, but not another protocol', () => {
  const hello = (version: string, protocol: number): string =>
    `%3\r\n$7\r\nversion\r\n$${version.length}\r\n${version}\r\n$5\r\nproto\r\n:${protocol}\r\n`;
  expect(normal(hello('7.0.15', 3))).toBe(normal(hello('7.2.11', 3)));
  expect(normal(hello('7.0.15', 3))).not.toBe(normal(hello('7.0.15', 2)));
});

test('channels that are left together may come in any order, their kind and number stay', () => {
  const one = confirmations('unsubscribe', 'c0', 'c1', 'c2');
  expect(normal(confirmations('unsubscribe', 'c2', 'c0', 'c1'))).toBe(one);
  expect(normal(one)).toBe(one);
  expect(normal(confirmations('unsubscribe', 'c0', 'c1'))).not.toBe(one);
  expect(normal(confirmations('punsubscribe', 'c0', 'c1', 'c2'))).not.toBe(one);
  expect(normal(confirmations('subscribe', 'c1', 'c0'))).not.toBe(
    normal(confirmations('subscribe', 'c0', 'c1')),
  );
});

test('messages and invalidations are counted', () => {
  const message = '*3\r\n$7\r\nmessage\r\n$2\r\nc0\r\n$1\r\nv\r\n';
  expect(countMessages(`+OK\r\n${message}${message}>2\r\n$10\r\ninvalidate\r\n_\r\n`)).toBe(3);
});

test('a client is known by its port, and is blocked when its flags say so', () => {
  const line = 'id=1200 addr=127.0.0.1:5000 name= flags=xb db=1 sub=0 cmd=blpop redir=-1 resp=3';
  const [client] = parseClientList(`${line}\n`);
  expect(client).toMatchObject({ id: '1200', port: 5000, isBlocked: true });
  expect(client?.state).toContain('flags=xb db=1');
});

test('outcomes differ by what is received first, then by the clients, then by the data', () => {
  const outcome: Outcome = { received: ['+OK'], states: ['a'], blockedCount: 0, digest: 'd' };
  expect(compare(outcome, { ...outcome })).toBeUndefined();
  expect(compare(outcome, { ...outcome, digest: 'e', received: ['+NO'] })).toEqual({
    kind: 'received',
    differences: [{ where: 'client 0', ours: '+OK', real: '+NO' }],
  });
  expect(compare(outcome, { ...outcome, digest: 'e', blockedCount: 1 })?.kind).toBe('clients');
  expect(compare(outcome, { ...outcome, states: ['b'] })?.kind).toBe('clients');
  expect(compare(outcome, { ...outcome, digest: 'e' })?.kind).toBe('data');
  expect(parseScript(describeFinding('data', [{ where: 'x', ours: '\n', real: '' }]))).toEqual([]);
});

test('a planted bug is reduced to the steps that it needs, and to no other bug', async () => {
  // "Broken": a push while two clients wait, when a third one watched before. "Another": PING of client 4.
  const run = async (program: Program): Promise<Finding | undefined> => {
    const blocked = new Set<number>();
    let isWatched = false;
    for (const [at, { client, step }] of program.entries()) {
      const name = nameOf(step);
      const differences = [{ where: 'client 1', ours: 'a', real: 'b' }];
      if (name === 'ping' && client === 4) return { kind: 'data', at, step, differences };
      if (name === 'watch') isWatched = true;
      if (name === 'blpop') blocked.add(client);
      if (name !== 'rpush' || !isWatched || blocked.size < 2) continue;
      return { kind: 'received', at, step, differences };
    }
    return undefined;
  };
  const noise = Array.from({ length: 60 }, (_, i) => `${i % 5}: GET k${i}`).join('\n');
  const parts = ['2: WATCH a', '0: BLPOP l 0', '1: BLPOP l 0', '3: RPUSH l a', '4: PING'];
  const program = parseScript(parts.join(`\n${noise}\n`));
  const first = await run(program);
  const result = await investigate(run, program, first!);
  expect(result).toMatchObject({ signature: 'received rpush', isSteady: true });
  expect(scriptOf(result.program)).toBe(parts.slice(0, 4).join('\n'));
  expect(parseScript(report(result))).toEqual(result.program);
});

test('what does not fail again is told as it was', async () => {
  const program = makeProgram(1, 1);
  const first: Finding = { kind: 'clients', at: 9, step: program[9]!.step, differences: [] };
  let asked = 0;
  const run = async (): Promise<undefined> => void asked++;
  const result = await investigate(run, program, first);
  expect(result).toMatchObject({ isSteady: false, finding: first });
  expect(result.program).toHaveLength(10);
  expect(asked).toBe(1);
});

test('the arguments are read, and what is no number is refused', () => {
  const args = ['--seed', '9', '--programs', '3', '--real', 'there'];
  expect(readSettings(args)).toMatchObject({ seed: 9, programs: 3, from: 0, real: 'there' });
  expect(() => readSettings(['--programs', 'x', '--real', 'there'])).toThrow('whole number');
});
