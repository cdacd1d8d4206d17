import fc from 'fast-check';
import { expect, test } from 'vitest';
import { globMatches } from './glob.ts';

function matches(pattern: string, text: string, ignoreCase = false): boolean {
  const p = Buffer.from(`<${pattern}>`, 'latin1');
  const t = Buffer.from(`<${text}>`, 'latin1');
  return globMatches(p, 1, pattern.length, t, 1, text.length, ignoreCase);
}

// Each row was asked of redis-server 7.0.15 with KEYS.
test('globMatches agrees with KEYS on wildcards, classes and escapes', () => {
  const rows: readonly (readonly [string, string, boolean])[] = [
    ['h?llo', 'hello', true],
    ['h?llo', 'hllo', false],
    ['h*llo', 'hllo', true],
    ['h*llo', 'heeeello', true],
    ['h[ae]llo', 'hillo', false],
    ['h[^e]llo', 'hello', false],
    ['h[a-b]llo', 'hbllo', true],
    ['h[b-a]llo', 'hallo', true],
    ['h\\*llo', 'h*llo', true],
    ['h\\*llo', 'hello', false],
    ['*a*b*', 'xxaxxbxx', true],
    ['', '', true],
    ['', 'a', false],
    ['*', '', true],
    ['a[', 'a', false],
    ['[a', 'a', true],
    ['a\\', 'a\\', true],
  ];
  for (const [pattern, text, isMatch] of rows) {
    expect(matches(pattern, text), `${pattern} ${text}`).toBe(isMatch);
  }
});

test('globMatches folds letters only when asked', () => {
  expect(matches('MAX[A-m]*', 'maxmemory', true)).toBe(true);
  expect(matches('MAX*', 'maxmemory')).toBe(false);
});

test('globMatches takes no exponential time on many stars', () => {
  expect(matches(`${'a*'.repeat(50)}b`, 'a'.repeat(2000))).toBe(false);
});

test('globMatches finds every text that a pattern of literals and stars was made from', () => {
  const part = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 4 });
  fc.assert(
    fc.property(fc.array(fc.tuple(part, part), { minLength: 1, maxLength: 6 }), (parts) => {
      const pattern = parts.map(([literal]) => `${literal}*`).join('');
      const text = parts.map(([literal, filling]) => literal + filling).join('');
      expect(matches(pattern, text)).toBe(true);
      expect(matches(`${pattern}c`, text)).toBe(false);
    }),
    { seed: 1, numRuns: 300 },
  );
});
