/** Goal: what users of RedisShake wrote means here what it meant there. Method: texts of both forms, as wishes. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readShakeConfig } from './shake-config.ts';

let dir: string;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'slotline-shake-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function read(text: string, type?: string): ReturnType<typeof readShakeConfig> {
  const path = join(dir, 'config');
  writeFileSync(path, text);
  return readShakeConfig(path, { type, env: { SOURCE: '10.0.0.1:7000' } });
}

const WRITER = '[redis_writer]\naddress = "10.0.0.2:6379"\n';

test('version 4: a cluster as source, from the environment, and panic about keys that are there', () => {
  const wishes = read(
    `[sync_reader]\ncluster = true\naddress = "\${SOURCE}"\nusername = "u"\npassword = "p"\ntls = true\n${WRITER}[filter]\nallow_db = [0, 2]\nblock_command = ["FLUSHALL"]\nallow_key_prefix = ["a*"]\n[advanced]\nempty_db_before_sync = false\nlog_level = "info"\n`,
  );
  expect(wishes.source).toEqual({
    kind: 'nodes',
    nodes: {
      seeds: [{ host: '10.0.0.1', port: 7000, username: 'u', password: 'p', tls: true, db: 0 }],
    },
  });
  expect(wishes).toMatchObject({ conflict: 'fail', sourceMode: 'psync', stopsWhenSynced: false });
  expect(wishes.databases).toEqual([0, 2].map((db) => ({ source: db, target: db })));
  expect(wishes.filter).toMatchObject({ only: ['a\\**'], withoutCommands: ['FLUSHALL'] });
  expect(wishes.ignored).toEqual(['advanced.log_level']);
});

test('version 4: readers of files and scans, a writer of files, a Sentinel', () => {
  const log = read(`[aof_reader]\nfilepath = "/data/x.manifest"\ntimestamp = 17\n${WRITER}`);
  expect(log.source).toEqual({ kind: 'files', paths: ['/data/x.manifest'] });
  expect(log).toMatchObject({ untilUnixSeconds: 17, stopsWhenSynced: true });
  const scan = read(`[scan_reader]\naddress = "a:1"\ndbs = [1]\nksn = true\n${WRITER}`);
  expect(scan).toMatchObject({ sourceMode: 'scan', stopsWhenSynced: false });
  const sentinel =
    '[sync_reader]\n[sync_reader.sentinel]\nmaster_name = "mymaster"\naddress = "s:26379"\n';
  const file = read(`${sentinel}[file_writer]\nfilepath = "/tmp/out"\ntype = "json"\n`);
  expect(file.target).toEqual({ kind: 'files', paths: ['/tmp/out.jsonl'] });
  expect(file.source).toMatchObject({ nodes: { masterName: 'mymaster' } });
});

test('version 2: addresses with semicolons, databases mapped, and each type', () => {
  const text =
    'source.type = cluster\nsource.address = master@a:1;b:2 ; c:3\nsource.password_raw = p\ntarget.type = sentinel\ntarget.address = mymaster:master@s:4;t:5\ntarget.dbmap = 0-5;1-3\nfilter.slot = 1;7\nsource.rdb.parallel = 2\nid = x\nsource.rdb.input = /a.rdb;/b.rdb\ntarget.rdb.output = /o\n';
  const wishes = read(text);
  expect(wishes.source).toMatchObject({
    nodes: { seeds: [{ host: 'a' }, { host: 'b' }, { host: 'c', port: 3, password: 'p' }] },
  });
  expect(wishes.target).toMatchObject({
    nodes: { masterName: 'mymaster', seeds: [{ port: 4 }, { port: 5 }] },
  });
  expect(wishes.databases).toEqual([
    { source: 0, target: 5 },
    { source: 1, target: 3 },
  ]);
  expect(wishes).toMatchObject({ conflict: 'fail', forksMax: 2, stopsWhenSynced: false });
  expect(wishes.filter.slots).toBe('1,7');
  expect(wishes.ignored).toEqual(['id', 'source.rdb.input', 'target.rdb.output']);
  expect(read(text, 'restore').source).toEqual({ kind: 'files', paths: ['/a.rdb', '/b.rdb'] });
  expect(read(text, 'dump').target).toEqual({ kind: 'files', paths: ['/o.rdb'] });
  expect(read(text, 'decode').target).toEqual({ kind: 'files', paths: ['/o.jsonl'] });
  expect(read(text, 'rump').sourceMode).toBe('scan');
  expect(() => read(text, 'other')).toThrow('-type is none of');
});

test('what cannot be done as asked is refused', () => {
  expect(() => read('source.type = proxy\nsource.address = a:1\n')).toThrow('is proxy');
  expect(() => read('nonsense\n')).toThrow('line 1 is not "name = value"');
  expect(() => read(`[sync_reader]\naddress = "a:1"\nsync_rdb = false\n${WRITER}`)).toThrow(
    'begins with a snapshot',
  );
  expect(() => read('[sync_reader]\naddress = \n[redis_writer]\n')).toThrow('TOML');
});
