/**
 * Goal: the debugger stops where it is told to and answers every command. Method: the machine alone, fed with lines that begin
 * and commands; its words are compared with the real server in `tests/golden/debugger/`.
 */
import { describe, expect, test } from 'vitest';
import { LuaTable, type LuaValue, type StoppedCall } from '../../../lua/index.ts';
import { Debugger } from './debugger.ts';

const SOURCE = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`).join('\n');

function newDebugger(): Debugger {
  return new Debugger({
    source: SOURCE,
    addressOf: () => 'function: 0x1',
    globalOf: (name) => new LuaTable().adoptList([undefined, name]),
  });
}

/** A call with variables, as it is on the stack. */
function call(line: number, locals: Readonly<Record<string, LuaValue>> = {}): StoppedCall {
  const named = Object.entries(locals).map(([name, value]) => ({ name, value }));
  return { name: undefined, source: 'user_script', line, locals: named };
}

/** Lets lines begin until it stops; what it tells then. */
function run(machine: Debugger, lines: readonly number[]): string[] {
  for (const line of lines) {
    if (!machine.mayStop(line)) continue;
    machine.stop([call(line)]);
    return machine.takeLines();
  }
  return [];
}

function ask(machine: Debugger, ...args: readonly string[]): string[] {
  machine.command(args);
  return machine.takeLines();
}

/** A debugger whose script has stopped at its first line. */
function stopped(...calls: readonly StoppedCall[]): Debugger {
  const machine = newDebugger();
  machine.mayStop(1);
  machine.stop(calls.length === 0 ? [call(1)] : calls);
  machine.takeLines();
  return machine;
}

describe('stops', () => {
  test('are at the first line, at each line while it steps, and else at breakpoints', () => {
    const machine = newDebugger();
    expect(run(machine, [1])[0]).toBe('* Stopped at 1, stop reason = step over');
    expect(machine.command(['step'])).toEqual({ kind: 'go' });
    expect(run(machine, [2])).toEqual(['* Stopped at 2, stop reason = step over', '-> 2   line 2']);
    ask(machine, 'break', '4');
    expect(machine.command(['continue'])).toEqual({ kind: 'go' });
    expect(run(machine, [3, 4, 5])).toEqual([
      '* Stopped at 4, stop reason = break point',
      '->#4   line 4',
    ]);
    machine.command(['c']);
    expect(run(machine, [5, 6])).toEqual([]);
  });

  test('follow redis.breakpoint() and a time-out', () => {
    const machine = stopped();
    machine.command(['c']);
    machine.breakpointCalled();
    expect(run(machine, [7])[0]).toBe('* Stopped at 7, stop reason = redis.breakpoint() called');
    machine.command(['c']);
    machine.timeOut();
    expect(run(machine, [8])[0]).toBe(
      '* Stopped at 8, stop reason = timeout reached, infinite loop?',
    );
    machine.command(['c']);
    expect(run(machine, [9])).toEqual([]);
  });

  test('are none once nobody is there, and nothing is told', () => {
    const machine = stopped();
    ask(machine, 'b', '3');
    machine.command(['s']);
    machine.detach();
    expect(run(machine, [2, 3])).toEqual([]);
    machine.debugCalled([1]);
    expect(machine.takeLines()).toEqual([]);
    expect(machine.isTelling).toBe(false);
  });
});

describe('what a script calls', () => {
  test('is told while it steps, and of the command that the client asks for', () => {
    const machine = stopped();
    expect(machine.isTelling).toBe(false);
    machine.command(['s']);
    expect(machine.isTelling).toBe(true);
    machine.tellCall(['set', 'a', 'b']);
    machine.tellReply(Buffer.from('+OK\r\n'), 5);
    expect(run(machine, [2]).slice(0, 2)).toEqual(['<redis> set a b', '<reply> "+OK"']);
    expect(machine.command(['redis', 'get', 'a'])).toEqual({ kind: 'call', args: ['get', 'a'] });
    expect(machine.isTelling).toBe(true);
    machine.command(['c']);
    expect(machine.isTelling).toBe(false);
  });

  test('does not fill the memory while nothing stops', () => {
    const machine = stopped();
    machine.command(['c']);
    const text = 'x'.repeat(3 * 1024 * 1024);
    for (let count = 0; count < 20; count++) machine.tellError(text);
    const lines = machine.end();
    expect(lines).toHaveLength(12);
    expect(lines.slice(-2)).toEqual([
      '<hint> There were more lines, which are lost.',
      '<endsession>',
    ]);
  });
});

describe('commands', () => {
  test.each([
    [['abort'], { kind: 'abort' }],
    [['A', 'x'], { kind: 'abort' }],
    [['e', 'return', '1 + 1'], { kind: 'evaluate', code: 'return 1 + 1' }],
    [['eval'], { kind: 'evaluate', code: '' }],
    [['n'], { kind: 'go' }],
    [['whole'], { kind: 'stay' }],
    [['redis'], { kind: 'stay' }],
  ])('%j is %j', (args, next) => {
    expect(stopped().command(args)).toEqual(next);
  });

  test('that are not known, or lack something, are refused', () => {
    const unknown = ['<error> Unknown Redis Lua debugger command or wrong number of arguments.'];
    for (const args of [['x'], ['steps'], [' '], ['r'], ['__proto__']]) {
      expect(ask(stopped(), ...args)).toEqual(unknown);
    }
  });

  test('list shows the lines around one', () => {
    expect(ask(stopped(), 'l')).toHaveLength(6);
    expect(ask(stopped(), 'l', '10', '1')).toEqual([
      '   9   line 9',
      '   10  line 10',
      '   11  line 11',
    ]);
    expect(ask(stopped(), 'l', 'x', '0')).toEqual(['-> 1   line 1']);
    expect(ask(stopped(), 'l', '99999999999', '1')).toEqual([]);
    expect(ask(stopped(), 'l', '1', '-1')).toEqual([]);
    expect(ask(stopped(), 'w')).toHaveLength(20);
  });

  test('print looks for a variable in all calls, and then for KEYS and ARGV', () => {
    const machine = stopped(call(1, { a: 'inner' }), call(2, { a: 1, b: false }));
    expect(ask(machine, 'p')).toEqual(['<value> a = "inner"']);
    expect(ask(machine, 'p', 'a')).toEqual(['<value> "inner"']);
    expect(ask(machine, 'p', 'b')).toEqual(['<value> false']);
    expect(ask(machine, 'p', 'KEYS')).toEqual(['<value> {"KEYS"}']);
    expect(ask(machine, 'p', 'redis')).toEqual(['No such variable.']);
    expect(ask(machine, 'p', 'a', 'b')).toEqual(['<value> a = "inner"']);
  });

  test('break takes lines that there are, once each, and so many', () => {
    const machine = stopped();
    expect(ask(machine, 'b', '0', '-3', '21', '1x', '01', '2', '2')).toEqual([
      'All breakpoints removed.',
      'No breakpoint in the specified line.',
      'Wrong line number.',
      "Invalid argument:'1x'",
      "Invalid argument:'01'",
      '-> 1   line 1',
      '  #2   line 2',
      '   3   line 3',
      'Wrong line number.',
    ]);
    expect(ask(machine, 'b')).toEqual(['1 breakpoints set:', '  #2   line 2']);
    expect(ask(machine, 'b', '-2')).toEqual(['Breakpoint removed.']);
  });

  test('maxlen trims what is shown, and says once how to see it all', () => {
    const machine = stopped(call(1, { long: 'x'.repeat(400) }));
    const [trimmed, hint] = ask(machine, 'p', 'long');
    expect(trimmed).toBe(`<value> "${'x'.repeat(247)} ...`);
    expect(hint).toBe("<hint> The above reply was trimmed. Use 'maxlen 0' to disable trimming.");
    expect(ask(machine, 'm', '10')).toEqual(['<value> replies are truncated at 60 bytes.']);
    expect(ask(machine, 'p', 'long')).toEqual([`<value> "${'x'.repeat(51)} ...`]);
    expect(ask(machine, 'm', '0')).toEqual(['<value> replies are unlimited.']);
    expect(ask(machine, 'p', 'long')).toEqual([`<value> "${'x'.repeat(400)}"`]);
  });

  test('a value that would be of no end to show is cut off', () => {
    let wide = new LuaTable().adoptList([undefined, 1]);
    for (let depth = 0; depth < 9; depth++) {
      wide = new LuaTable().adoptList([undefined, ...Array.from({ length: 100 }, () => wide)]);
    }
    const machine = stopped(call(1, { wide }));
    ask(machine, 'm', '0');
    const [text] = ask(machine, 'p', 'wide');
    expect(text!.length).toBeLessThan(5 * 1024 * 1024);
  });

  test('a reply that is long is not read to its end', () => {
    const machine = stopped();
    const reply = Buffer.from(`*2\r\n$3000\r\n${'x'.repeat(3000)}\r\n$1\r\ny\r\n`);
    machine.tellReply(reply, reply.length);
    expect(machine.takeLines()[0]).toBe(`<reply> ["${'x'.repeat(246)} ...`);
    ask(machine, 'm', '0');
    machine.tellReply(reply, reply.length);
    expect(machine.takeLines()).toEqual([`<reply> ["${'x'.repeat(3000)}","y"]`]);
    const many = Buffer.from(`*100000\r\n${':1\r\n'.repeat(100_000)}`);
    machine.command(['m', '100']);
    machine.takeLines();
    machine.tellReply(many, many.length);
    expect(machine.takeLines()[0]).toBe(`<reply> [${'1,'.repeat(45)}1 ...`);
  });

  test('a script of very many lines is shown', () => {
    const source = 'a\n'.repeat(300_000);
    const machine = new Debugger({ source, addressOf: () => '', globalOf: () => undefined });
    machine.mayStop(1);
    machine.stop([call(1)]);
    machine.takeLines();
    expect(ask(machine, 'whole')).toHaveLength(300_000);
  });
});
