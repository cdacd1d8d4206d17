import { expect, test } from 'vitest';
import { type TestClient, TestNode } from './test-node.ts';

/** What SLOWLOG LEN says. */
function slowCount(client: TestClient): string {
  return client.call('SLOWLOG', 'LEN');
}

/** A node whose clock moves by `stepUs` at every reading: so long does every call take. */
function slowNode(configText: string, stepUs: number): TestNode {
  const node = new TestNode(configText);
  node.stepUs = stepUs;
  return node;
}

test('a call counts from the end of the one before it, in the counters and in the histogram', () => {
  const client = slowNode('', 3000).connect();
  client.send('*2\r\n$3\r\nDEL\r\n$1\r\na\r\n'.repeat(2));
  expect(client.call('INFO', 'commandstats')).toContain(
    'cmdstat_del:calls=2,usec=6000,usec_per_call=3000.00',
  );
  expect(client.call('LATENCY', 'HISTOGRAM', 'del')).toContain('$5\r\ncalls\r\n:2\r\n');
});

test('equal short calls of a pipeline are timed together and counted one by one', () => {
  const client = slowNode('', 3000).connect();
  const get = '*2\r\n$3\r\nGET\r\n$1\r\na\r\n';
  client.send(get.repeat(20) + '*3\r\n$6\r\nAPPEND\r\n$1\r\na\r\n$1\r\nb\r\n');
  const info = client.call('INFO', 'commandstats');
  expect(info).toContain('cmdstat_get:calls=20,usec=6000,usec_per_call=300.00');
  expect(info).toContain('cmdstat_append:calls=1,usec=3000,');
  expect(client.call('LATENCY', 'HISTOGRAM', 'get')).toContain('$5\r\ncalls\r\n:20\r\n');
  // Part of a request behind the last whole one must not keep its time from being read.
  client.send(get + get.slice(0, 9));
  expect(client.send(get.slice(9))).toBe('$1\r\nb\r\n');
  expect(client.call('INFO', 'commandstats')).toContain('cmdstat_get:calls=22,');
});

test('calls of up to six arguments are short ones, an XADD of one field among them', () => {
  const client = slowNode('', 3000).connect();
  const xadd = (...args: readonly string[]): string =>
    `*${args.length + 1}\r\n$4\r\nXADD\r\n` +
    args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join('');
  client.send(xadd('s', '*', 'f', 'v').repeat(20));
  expect(client.call('INFO', 'commandstats')).toContain('cmdstat_xadd:calls=20,usec=6000,');
  client.send(xadd('s', 'MAXLEN', '5', '*', 'f', 'v').repeat(20));
  expect(client.call('INFO', 'commandstats')).toContain('cmdstat_xadd:calls=40,usec=66000,');
});

test('short calls that took long together are noted without arguments, or by the last one', () => {
  const client = slowNode('slowlog-log-slower-than 2000', 3000).connect();
  const get = '*2\r\n$3\r\nGET\r\n$1\r\na\r\n';
  client.send(get + get + '*1\r\n$4\r\nPING\r\n');
  const together = client.call('SLOWLOG', 'GET', '10');
  expect(together).toContain('$3\r\nget\r\n$28\r\n... (2 calls timed together)\r\n');
  client.call('SLOWLOG', 'RESET');
  client.send(get + get);
  expect(client.call('SLOWLOG', 'GET', '10')).toContain('*2\r\n$3\r\nGET\r\n$1\r\na\r\n');
});

test('calls as long as slowlog-log-slower-than are noted, and CONFIG SET moves it', () => {
  const client = slowNode('slowlog-log-slower-than 5000', 4000).connect();
  client.call('PING');
  expect(slowCount(client)).toBe(':0\r\n');
  client.call('CONFIG', 'SET', 'slowlog-log-slower-than', '4000');
  client.call('PING');
  expect(slowCount(client)).not.toBe(':0\r\n');
  client.call('CONFIG', 'SET', 'slowlog-log-slower-than', '-1');
  client.call('SLOWLOG', 'RESET');
  client.call('PING');
  expect(slowCount(client)).toBe(':0\r\n');
});

test('the latency monitor hears of calls as long as its threshold', () => {
  const client = slowNode('latency-monitor-threshold 4', 4000).connect();
  client.call('GET', 'a');
  client.call('SET', 'a', '1');
  expect(client.call('LATENCY', 'LATEST')).toMatch(/fast-command[^]*:4\r\n:4\r\n/);
  expect(client.call('LATENCY', 'LATEST')).toContain('$7\r\ncommand\r\n');
  client.call('CONFIG', 'SET', 'latency-monitor-threshold', '5');
  client.call('LATENCY', 'RESET');
  client.call('GET', 'a');
  expect(client.call('LATENCY', 'LATEST')).toBe('*0\r\n');
});

test('latency-tracking no keeps no histograms', () => {
  const client = slowNode('latency-tracking no', 10).connect();
  client.call('PING');
  expect(client.call('LATENCY', 'HISTOGRAM', 'ping')).toBe('*0\r\n');
});

test('SLOWLOG GET takes any count from -1 on', () => {
  const client = slowNode('slowlog-log-slower-than -1', 0).connect();
  for (const count of ['-1', '0', '9223372036854775807']) {
    expect(client.call('SLOWLOG', 'GET', count)).toBe('*0\r\n');
  }
  for (const count of ['-2', 'x', '9223372036854775808']) {
    expect(client.call('SLOWLOG', 'GET', count)).toBe(
      '-ERR count should be greater than or equal to -1\r\n',
    );
  }
});
