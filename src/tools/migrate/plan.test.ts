/** Goal: a plan says which versions meet, and what of the source the target does not have. */
import { expect, test } from 'vitest';
import { Abilities } from '../flow/index.ts';
import { type NodeFacts, judge } from './plan.ts';

function node(name: string, info: Record<string, string>, libraryCount: number = 0): NodeFacts {
  return {
    name,
    info: new Map(Object.entries({ run_id: name, ...info })),
    config: new Map(),
    mayFollow: undefined,
    moduleNames: ['lua', 'vectorset'],
    libraryCount,
    streamRate: 0,
  };
}

const VALKEY_9 = new Abilities('Valkey 9.1.2', [6, 7, 8, 9, 10, 11, 80], undefined);
const REDIS_6 = new Abilities('Redis 6.0.16', [6, 7, 8, 9], ['set', 'hset']);

test('what the target does not have is told before a run', () => {
  const info = {
    redis_version: '7.2.4',
    server_name: 'valkey',
    valkey_version: '9.1.2',
    db0: 'keys=2,expires=0,avg_ttl=0,keys_with_volatile_items=2',
    cmdstat_copy: 'calls=1',
    cmdstat_hset: 'calls=1',
    cmdstat_getex: 'calls=1',
  };
  const target = { ...node('b', { redis_version: '6.0.16' }), moduleNames: ['vectorset'] };
  const shape = {
    sourceIsCluster: false,
    targetIsCluster: false,
    source: VALKEY_9,
    target: REDIS_6,
  };
  const findings = judge([node('a', info, 1)], [target], shape);
  const about = (topic: string): string[] =>
    findings
      .filter((each) => each.topic === topic)
      .map(({ severity, text }) => `${severity} ${text}`);
  expect(about('version')).toEqual([
    'ok Valkey 9.1.2, the source',
    'ok Redis 6.0.16: values of Valkey 9.1.2 are written anew where it does not read them',
  ]);
  expect(about('field expiry')).toEqual([
    'stop 2 hashes have fields that expire, which Redis 6.0.16 does not have: see --drop-field-expiry',
  ]);
  expect(about('commands')).toEqual([
    'warn has run copy: Redis 6.0.16 does not know it, and ends the run',
  ]);
  expect(about('functions')).toEqual(['warn 1 libraries: Redis 6.0.16 has no functions']);
  expect(about('modules')).toEqual([]);
});
