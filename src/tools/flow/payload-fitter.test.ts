/**
 * Goal: each server gets payloads that it reads. Method: payloads that servers wrote, for servers of which it is known what
 * they take (asked of the real ones).
 */
import { expect, test } from 'vitest';
import { dumpFrameFlaw } from '../../rdb/index.ts';
import { Abilities, PayloadFitter } from './index.ts';

const OF_REDIS =
  '190038d360ba0100002f2f00000009008161020101f40038d360ba010000098162028374776f04f4f439d360ba0100000981630203010001ff0c0087501143f19d1388';
const OF_VALKEY =
  '16030161c0010038d360ba01000001620374776ff439d360ba0100000163c003ffffffffffffffff5000d118dd99cc5d0753';
const SET_OF_VALKEY_9 = '14121200000004008161028162028163020101ff0b006bf06b63a79d31e1';
const STREAM =
  '13011000000000000000050000000000000001404242000000190002010101020181660281' +
  '6702000103010001000101010201050102010001010103010401050100010201dfff020101' +
  '856f74686572068178020601ff020700050205010302036772700502020100000000000000' +
  '0500000000000000020068e5cf8b010000030105616c696365784ed514a201000001000000' +
  '00000000050000000000000002056f74686572070081ffffffffffffffff00000a00ca43a9f0fe097cd1';

const UP_TO_7 = [6, 7, 8, 9, 10];
const REDIS_3 = new Abilities('Redis 3.2.6', [6, 7], ['set']);
const REDIS_6 = new Abilities('Redis 6.2.11', [6, 7, 8, 9], ['set', 'unlink']);
const REDIS_8 = new Abilities('Redis 8.0.2', [...UP_TO_7, 11, 12], ['hpexpireat']);
const VALKEY_9 = new Abilities('Valkey 9.1.2', [...UP_TO_7, 11, 80], ['hpexpireat']);
/** It takes the frame of a version whose types it does not all have. */
const OURS = new Abilities('Redis 7.0.15', [...UP_TO_7, 11, 12, 80], ['unlink']);

function fitted(target: Abilities, hex: string): string {
  const payload = new PayloadFitter(target, 'refuse').fitPayload(Buffer.from(hex, 'hex'));
  if (!Buffer.isBuffer(payload)) return payload.reason;
  expect(dumpFrameFlaw(payload, 0, payload.length, true)).toBeUndefined();
  return payload.toString('hex');
}

/** The version that a payload says it is of. */
const versionOf = (hex: string): number =>
  Buffer.from(hex, 'hex').readUInt16LE(hex.length / 2 - 10);

test('a payload goes as it stands, sealed with the lowest version that has its type', () => {
  expect(fitted(REDIS_8, OF_REDIS)).toBe(OF_REDIS);
  expect(fitted(VALKEY_9, OF_VALKEY)).toBe(OF_VALKEY);
  expect(fitted(OURS, STREAM)).toBe(STREAM);
  const set = fitted(REDIS_8, SET_OF_VALKEY_9);
  expect(set.slice(0, -20)).toBe(SET_OF_VALKEY_9.slice(0, -20));
  expect(versionOf(set)).toBe(11);
});

test('a type that came later is written in an older form', () => {
  expect(versionOf(fitted(REDIS_3, SET_OF_VALKEY_9))).toBe(6);
  expect(versionOf(fitted(REDIS_6, STREAM))).toBe(9);
  expect(fitted(REDIS_3, STREAM)).toBe('Redis 3.2.6 has no values of this type: stream');
});

test('fields that expire change their form between Redis and Valkey', () => {
  expect(fitted(VALKEY_9, OF_REDIS)).toBe(OF_VALKEY);
  expect(versionOf(fitted(REDIS_8, OF_VALKEY))).toBe(12);
});

test('fields that expire are refused where there are none, or stay for good and are counted', () => {
  const reason = 'fields of it expire, which Redis 7.0.15 does not have';
  expect(fitted(OURS, OF_REDIS)).toBe(reason);
  expect(fitted(OURS, OF_VALKEY)).toBe(reason);
  const dropping = new PayloadFitter(OURS, 'drop');
  expect(Buffer.isBuffer(dropping.fitPayload(Buffer.from(OF_REDIS, 'hex')))).toBe(true);
  expect(dropping.droppedFields).toBe(2);
});

test('several masters can do what each of them can, and fields expire in whatever form', () => {
  const both = Abilities.common([REDIS_8, VALKEY_9]);
  expect(both.takesPayload(11)).toBe(true);
  expect(both.takesPayload(12)).toBe(false);
  expect(both.hasFieldExpiry).toBe(true);
  expect(both.product).toBe('Redis 8.0.2 and Valkey 9.1.2');
  expect(Abilities.common([REDIS_8, REDIS_6]).hasFieldExpiry).toBe(false);
});
