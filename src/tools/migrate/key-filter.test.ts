import { expect, test } from 'vitest';
import { keySlot } from '../../base/index.ts';
import { type FilterRules, KeyFilter, globLiteral } from './key-filter.ts';

const OPEN: FilterRules = { only: [], without: [], onlyCommands: [], withoutCommands: [] };

function admitted(rules: Partial<FilterRules>, keys: readonly string[]): string[] {
  const filter = KeyFilter.of({ ...OPEN, ...rules });
  return keys.filter((key) => filter?.admits(Buffer.from(key), 0, Buffer.byteLength(key)) ?? true);
}

test('without rules there is no filter', () => {
  expect(KeyFilter.of(OPEN)).toBeUndefined();
});

test('a key matches one of the wanted patterns and none of the others', () => {
  const keys = ['user:1', 'user:22', 'cart:1', 'a*b', 'axb'];
  expect(admitted({ only: ['user:*'] }, keys)).toEqual(['user:1', 'user:22']);
  expect(admitted({ only: ['/^\\w+:\\d$/'] }, keys)).toEqual(['user:1', 'cart:1']);
  expect(admitted({ only: ['user:*'], without: ['*2'] }, keys)).toEqual(['user:1']);
  expect(admitted({ only: [globLiteral('a*b')] }, keys)).toEqual(['a*b']);
});

test('slots are ranges, and nonsense is refused', () => {
  const slot = keySlot(Buffer.from('user:1'), 0, 6);
  expect(admitted({ slots: `${slot}-${slot}` }, ['user:1', 'cart:1'])).toEqual(['user:1']);
  expect(() => KeyFilter.of({ ...OPEN, slots: '5-1' })).toThrow('Cannot read slots');
  expect(() => KeyFilter.of({ ...OPEN, only: ['/(/'] })).toThrow('Cannot read the filter');
});
