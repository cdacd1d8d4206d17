/**
 * Goal: a claim moves exactly the slots that it should, though it is applied to whole bitmaps. Method: random maps,
 * epochs, imports and claims, against the rule told slot by slot.
 */
import { expect, test } from 'vitest';
import { type Rng, SLOT_COUNT, nodeId, randomHex, seededRng, slot } from '../base/index.ts';
import { ClusterContext } from './context.ts';
import { redisRules } from './rules.ts';
import { applySlotClaim } from './slot-claims.ts';
import { assignSlot, firstNewerSlot, hasSlotBit, unassignAllOf } from './slot-map.ts';
import { TEST_OPTIONS } from './test-network.ts';
import type { ClusterNode } from './types.ts';

const OTHER_COUNT = 4;

function createContext(rng: Rng, withKeys: ReadonlySet<number>): ClusterContext {
  const c = new ClusterContext({
    options: TEST_OPTIONS,
    rng,
    rules: redisRules,
    replication: {
      replOffset: () => 0,
      masterSilenceMs: () => undefined,
      masterAddress: () => undefined,
    },
    keys: {
      countKeysInSlot: (index) => Number(withKeys.has(index)),
      dbSize: () => withKeys.size,
      isInScript: () => false,
    },
    links: { sendBufferBytes: () => 0 },
  });
  for (let i = 0; i < OTHER_COUNT; i++) {
    const node = c.newNode(nodeId(randomHex(rng, 40)));
    node.role = 'master';
    c.addNode(node);
  }
  for (const node of c.nodeList) node.configEpoch = rng.below(5);
  return c;
}

/** Some runs of slots, most of them short, some without an owner. */
function dealSlots(c: ClusterContext, rng: Rng): void {
  for (let from = 0; from < SLOT_COUNT;) {
    const size = 1 + rng.below(rng.below(4) === 0 ? 3000 : 20);
    const owner = rng.below(6) === 0 ? undefined : c.nodeList[rng.below(c.nodeList.length)];
    const end = Math.min(SLOT_COUNT, from + size);
    for (let i = from; i < end && owner !== undefined; i++) assignSlot(c, owner, slot(i));
    from = end;
  }
}

function randomClaim(rng: Rng): Uint8Array {
  const slots = new Uint8Array(SLOT_COUNT / 8);
  for (let run = rng.below(30); run > 0; run--) {
    const from = rng.below(SLOT_COUNT);
    const end = Math.min(SLOT_COUNT, from + 1 + rng.below(2000));
    for (let i = from; i < end; i++) slots[i >> 3]! |= 1 << (i & 7);
  }
  return slots;
}

function expectConsistent(c: ClusterContext): void {
  for (const node of c.nodeList) {
    let count = 0;
    for (let i = 0; i < SLOT_COUNT; i++) {
      const isOwned = c.owners[i] === node;
      if (isOwned) count++;
      if (hasSlotBit(node.slots, i) !== isOwned) expect.fail(`slot ${i} of ${node.id}`);
    }
    expect(node.slotCount).toBe(count);
  }
}

test('a claim takes the slots of older owners and of nobody, and none that is being imported', () => {
  for (let seed = 1; seed <= 25; seed++) {
    const rng = seededRng(seed);
    const keys = new Set(Array.from({ length: 200 }, () => rng.below(SLOT_COUNT)));
    const c = createContext(rng, keys);
    dealSlots(c, rng);
    const claimant = c.nodeList[1 + rng.below(OTHER_COUNT)]!;
    for (let i = rng.below(20); i > 0; i--) {
      c.importingFrom.set(slot(rng.below(SLOT_COUNT)), claimant);
      c.migratingTo.set(slot(rng.below(SLOT_COUNT)), claimant);
    }
    const claimed = randomClaim(rng);
    const epoch = rng.below(5);
    const dirty: number[] = [];
    const migrating = new Set(c.migratingTo.keys());
    const expected = c.owners.map((owner, i): ClusterNode | undefined => {
      if (!hasSlotBit(claimed, i) || c.importingFrom.has(slot(i))) return owner;
      if (owner !== undefined && owner.configEpoch >= epoch) return owner;
      if (owner === c.myself && owner !== claimant) {
        migrating.delete(slot(i));
        if (keys.has(i)) dirty.push(i);
      }
      return claimant;
    });
    const hadSlots = c.myself.slotCount > 0;
    applySlotClaim(c, claimant, epoch, claimed);
    expect(c.owners.findIndex((owner, i) => owner !== expected[i])).toBe(-1);
    expectConsistent(c);
    const follows = hadSlots && !expected.includes(c.myself);
    expect(c.myself.role).toBe(follows ? 'replica' : 'master');
    if (follows) continue;
    expect(new Set(c.migratingTo.keys())).toEqual(migrating);
    const deletions = c.effects.filter((effect) => effect.kind === 'deleteKeysInSlot');
    expect(deletions.map((effect) => effect.slot)).toEqual(dirty);
  }
});

test('the first newer slot is the lowest whose owner, another node, has a later epoch', () => {
  for (let seed = 1; seed <= 25; seed++) {
    const rng = seededRng(seed);
    const c = createContext(rng, new Set());
    dealSlots(c, rng);
    const slots = randomClaim(rng);
    const claimant = c.nodeList[rng.below(c.nodeList.length)]!;
    const epoch = rng.below(5);
    const expected = c.owners.findIndex(
      (owner, i) =>
        hasSlotBit(slots, i) &&
        owner !== undefined &&
        owner !== claimant &&
        owner.configEpoch > epoch,
    );
    const found = firstNewerSlot(c, slots, { epoch, claimant });
    expect(found ?? -1).toBe(expected);
  }
});

test('a node that loses all its slots at once has none left', () => {
  const rng = seededRng(1);
  const c = createContext(rng, new Set());
  dealSlots(c, rng);
  for (const node of c.nodeList) {
    unassignAllOf(c, node);
    expect(node.slotCount).toBe(0);
    expectConsistent(c);
  }
  expect(c.owners.every((owner) => owner === undefined)).toBe(true);
});
