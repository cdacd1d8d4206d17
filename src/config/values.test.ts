import { expect, test } from 'vitest';
import {
  DIRECTIVES,
  DIRECTIVE_NAMES,
  type DirectiveName,
  type Settings,
  defaultSettings,
} from './directives.ts';
import { parseValue, valueText } from './values.ts';

/** The value as CONFIG GET would show it, or the refusal after `!`. */
function read(name: DirectiveName, ...words: string[]): string {
  const spec = DIRECTIVES[name];
  const parsed = parseValue(spec, words, name === 'save' ? [] : spec.default);
  return parsed.ok ? valueText(spec, parsed.value) : `!${parsed.reason}`;
}

test('every default reads back as itself', () => {
  const settings = defaultSettings();
  for (const name of DIRECTIVE_NAMES) {
    const spec = DIRECTIVES[name];
    const text = valueText(spec, settings[name]);
    if (name === 'replicaof') expect(text).toBe('');
    else expect(read(name, text), name).toBe(text);
  }
});

test('settings are typed by the table', () => {
  const settings: Settings = defaultSettings();
  const fsync: 'always' | 'everysec' | 'no' = settings.appendfsync;
  const timeoutMs: number = settings['cluster-node-timeout'];
  const isCluster: boolean = settings['cluster-enabled'];
  const addresses: readonly string[] = settings.bind;
  expect([fsync, timeoutMs, isCluster, addresses]).toEqual([
    'everysec',
    15000,
    false,
    ['*', '-::*'],
  ]);
});

test('numbers are strict decimals within their range', () => {
  expect(read('timeout', '7')).toBe('7');
  for (const text of ['01', '+1', ' 1', '-0', '1.0', '', '1k', '9223372036854775808']) {
    expect(read('timeout', text), text).toBe("!argument couldn't be parsed into an integer");
  }
  expect(read('timeout', '-1')).toBe('!argument must be between 0 and 2147483647 inclusive');
  expect(read('maxclients', '0')).toBe('!argument must be between 1 and 4294967295 inclusive');
  expect(read('cluster-node-timeout', '-1')).toBe(
    '!argument must be between 0 and 9223372036854775807 inclusive',
  );
  expect(read('timeout')).toBe('!wrong number of arguments');
  expect(read('timeout', '1', '2')).toBe('!wrong number of arguments');
  expect(read('hz', '501')).toBe('500');
  expect(read('hz', '0')).toBe('1');
});

test('memory takes units, and no digits are zero', () => {
  const sizes = { '1k': 1000, '1Kb': 1024, '1B': 1, '2m': 2e6, '1mb': 1048576, '1GB': 1073741824 };
  for (const [text, bytes] of Object.entries(sizes)) {
    expect(read('maxmemory', text)).toBe(String(bytes));
  }
  expect(read('maxmemory', '')).toBe('0');
  expect(read('maxmemory', '007k')).toBe('7000');
  for (const text of ['1t', '1 k', '1.5k', '-1', '1e3']) {
    expect(read('maxmemory', text), text).toBe('!argument must be a memory value');
  }
  expect(read('repl-backlog-size', '0')).toBe(
    '!argument must be between 1 and 9223372036854775807 inclusive',
  );
});

test('maxmemory-clients is bytes or a percentage up to 100', () => {
  expect(read('maxmemory-clients', '5%')).toBe('5%');
  expect(read('maxmemory-clients', '0%')).toBe('0');
  expect(read('maxmemory-clients', '1k')).toBe('1000');
  expect(read('maxmemory-clients', '101%')).toBe(
    '!percentage argument must be less or equal to 100',
  );
  expect(read('maxmemory-clients', '-1%')).toBe('!argument must be a memory or percent value');
});

test('booleans and enums know no case; a refusal lists what is known', () => {
  expect(read('appendonly', 'YES')).toBe('yes');
  expect(read('appendonly', '1')).toBe("!argument must be 'yes' or 'no'");
  expect(read('appendfsync', 'Always')).toBe('always');
  expect(read('oom-score-adj', 'relative')).toBe('yes');
  expect(read('appendfsync', '')).toBe(
    '!argument(s) must be one of the following: everysec, always, no',
  );
});

test('keyspace events come back in the order of Redis, and A hides n', () => {
  const cases = { KEA: 'AKE', Ex: 'xE', Kg$lshzxet: 'g$lshzxetK', Ednm: 'dnEm', AKEmn: 'AKEm' };
  for (const [text, shown] of Object.entries(cases)) {
    expect(read('notify-keyspace-events', text)).toBe(shown);
  }
  expect(read('notify-keyspace-events', 'Kq')).toContain('!Invalid event class character.');
});

test('directives of several words take them apart or in one argument', () => {
  expect(read('save', '900', '1', '300', '10')).toBe('900 1 300 10');
  expect(read('save', '900 1 300 10')).toBe('900 1 300 10');
  expect(read('save', '')).toBe('');
  expect(read('save', '0 1')).toBe('!Invalid save parameters');
  expect(read('bind', '')).toBe('');
  expect(read('bind', '127.0.0.1 -::1')).toBe('127.0.0.1 -::1');
  expect(read('bind', ...Array.from({ length: 17 }, String))).toBe(
    '!Too many bind addresses specified.',
  );
  expect(read('oom-score-adj-values', '1 2')).toBe('!wrong number of arguments');
  expect(read('oom-score-adj-values', '-2001 1 1')).toContain('must be between -2000 and 2000');
  expect(read('latency-tracking-info-percentiles', '33.333333333333336 1e1')).toBe('33.333333 10');
  expect(read('latency-tracking-info-percentiles', '100.1')).toContain('should sit between');
  expect(read('replicaof', '10.0.0.1', '7000')).toBe('10.0.0.1 7000');
  expect(read('replicaof', 'NO', 'one')).toBe('');
  expect(read('replicaof', 'h', '65536')).toBe('!Invalid master port');
  expect(read('shutdown-on-sigint', 'now', 'SAVE')).toBe('save now');
  expect(read('shutdown-on-sigint', 'save nosave')).toContain("can't be used simultaneously");
});

test('an output buffer limit changes its class and leaves the others', () => {
  expect(read('client-output-buffer-limit', 'replica', '1mb', '1k', '9')).toBe(
    'normal 0 0 0 slave 1048576 1000 9 pubsub 33554432 8388608 60',
  );
  expect(read('client-output-buffer-limit', 'normal 1 2')).toContain('!Wrong number of arguments');
  expect(read('client-output-buffer-limit', 'master 1 2 3')).toContain('!Invalid client class');
  expect(read('client-output-buffer-limit', 'normal 1 2 -3')).toContain('!Error in hard, soft');
});

test('checked values give the reason of their own rule', () => {
  expect(read('appendfilename', 'a/b')).toBe("!appendfilename can't be a path, just a filename");
  expect(read('cluster-announce-hostname', 'a_b')).toContain('!Hostnames may only contain');
  expect(read('cluster-announce-hostname', 'a'.repeat(256))).toContain('less than 256');
  expect(read('proc-title-template', '{title} {nobody}')).toContain('!template format is invalid');
  expect(read('proc-title-template', '{title}')).toContain('!template format is invalid');
  expect(read('proc-title-template', 'x {{ {port}')).toBe('x {{ {port}');
  expect(read('unixsocketperm', '0700')).toBe('700');
  expect(read('unixsocketperm', '1777')).toBe('!argument must be between 0 and 777 inclusive');
});
