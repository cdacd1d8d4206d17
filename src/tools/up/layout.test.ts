import { expect, test } from 'vitest';
import { type NodeFolder, directiveOf, formatRecord, nodeConfig, parseRecord } from './layout.ts';
import { UP_DEFAULTS } from './options.ts';

const folder: NodeFolder = {
  port: 7000,
  dir: '/data with "quotes" ü/7000',
  shape: UP_DEFAULTS,
  password: undefined,
};

test('a new redis.conf has the directives of its node', () => {
  const text = nodeConfig(folder, undefined);
  expect(directiveOf(text, 'port')).toBe('7000');
  expect(directiveOf(text, 'dir')).toBe(folder.dir);
  expect(directiveOf(text, 'cluster-enabled')).toBe('yes');
  expect(directiveOf(text, 'cluster-node-timeout')).toBe('5000');
  expect(directiveOf(text, 'requirepass')).toBeUndefined();
});

test("an existing redis.conf keeps its user's lines and gets our values", () => {
  const mine = '# mine\nmaxmemory 100mb\nport 1\nbind 127.0.0.1 ::1\n  Cluster-Node-Timeout 1\n';
  const text = nodeConfig(folder, mine);
  expect(text).toContain('# mine\nmaxmemory 100mb\nport 7000\nbind 127.0.0.1\n');
  expect(directiveOf(text, 'cluster-node-timeout')).toBe('5000');
  expect(text.match(/node-timeout/g)).toHaveLength(1);
  expect(nodeConfig(folder, text)).toBe(text);
});

test('a password is written only for addresses that others can reach, quoted', () => {
  const password = 'a "b" \\c $& d';
  const shape = { ...UP_DEFAULTS, bind: '10.0.0.1' };
  const text = nodeConfig({ ...folder, shape, password }, undefined);
  expect(directiveOf(text, 'requirepass')).toBe(password);
  expect(directiveOf(text, 'masterauth')).toBe(password);
  expect(nodeConfig({ ...folder, shape, password }, text)).toBe(text);
  expect(nodeConfig({ ...folder, password }, undefined)).not.toContain('requirepass');
});

test('a record is read back, and a damaged one is refused by name', () => {
  const record = { shape: UP_DEFAULTS, isCreated: true };
  expect(parseRecord(formatRecord(record), 'x')).toEqual(record);
  for (const text of ['', '{', 'null', '{}', '{"isCreated":true,"shape":{"masters":"3"}}']) {
    expect(() => parseRecord(text, '/data/cluster.json')).toThrow(
      'Cannot read "/data/cluster.json"',
    );
  }
});
