/** Goal: no two nodes ever wait for each other's MIGRATE. Method: moves that would, and those that need not wait. */
import { expect, test } from 'vitest';
import { type MoveEnds, roundsOf } from './move-rounds.ts';

/** Rounds of moves written as `ab`: from a to b. */
function rounds(...moves: readonly string[]): string[][] {
  return roundsOf(moves, ([from = '', to = '']): MoveEnds => ({ from, to }));
}

test('moves from some nodes to others all run at once', () => {
  expect(rounds('ad', 'bd', 'ce', 'ae', 'ad')).toEqual([['ad', 'bd', 'ce', 'ae', 'ad']]);
});

test('two nodes that give to each other take turns', () => {
  expect(rounds('ab', 'ba', 'ab')).toEqual([['ab', 'ab'], ['ba']]);
});

test('a circle is parted, and a node that takes does not give before it is done', () => {
  expect(rounds('ab', 'bc', 'ca')).toEqual([['ab'], ['bc'], ['ca']]);
  expect(rounds('ab', 'cb', 'bd')).toEqual([['ab', 'cb'], ['bd']]);
});
