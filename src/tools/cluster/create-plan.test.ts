import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CreatePlan, type NodeFacts, countsRefusal, planCreate } from './create-plan.ts';

function facts(index: number, changes: Partial<NodeFacts> = {}): NodeFacts {
  const ip = changes.ip ?? '127.0.0.1';
  const port = 7000 + index;
  const id = index.toString(16).padStart(40, '0');
  const base = { busPort: port + 10_000, isClusterEnabled: true, knownNodes: 1 };
  return { name: `${ip}:${port}`, ip, port, id, slotsOwned: 0, keys: 0, ...base, ...changes };
}

/** Nodes on the given hosts, in that order. */
function onHosts(...hosts: readonly string[]): NodeFacts[] {
  return hosts.map((host, index) => facts(index, { ip: `10.0.0.${host}` }));
}

function planOf(nodes: readonly NodeFacts[], replicas: number): CreatePlan {
  const decision = planCreate(nodes, replicas);
  if (decision.kind !== 'plan') throw new Error(decision.reason);
  return decision.plan;
}

function pairs({ replicas }: CreatePlan): string[] {
  return replicas.map(({ node, master }) => `${node.port} copies ${master.port}`);
}

test('on one host the first nodes become masters and the others copy them in turn', () => {
  const plan = planOf(onHosts('1', '1', '1', '1', '1', '1'), 1);
  expect(plan.masters.map(({ node, slots }) => [node.port, ...slots])).toEqual([
    [7000, 0, 5460],
    [7001, 5461, 10922],
    [7002, 10923, 16383],
  ]);
  expect(pairs(plan)).toEqual(['7003 copies 7000', '7004 copies 7001', '7005 copies 7002']);
  expect(plan.warnings).toEqual([]);
});

test('on three hosts of two nodes each, no replica shares the host of its master', () => {
  for (const hosts of ['112233', '123123', '123321', '121323', '332211']) {
    const plan = planOf(onHosts(...hosts.split('')), 1);
    expect(new Set(plan.masters.map(({ node }) => node.ip)).size, hosts).toBe(3);
    expect(plan.replicas.filter(({ node, master }) => node.ip === master.ip)).toEqual([]);
  }
});

test('where a host is unavoidable the plan warns', () => {
  const plan = planOf(onHosts('1', '1', '1', '1', '1', '2'), 1);
  expect(plan.warnings.length).toBeGreaterThan(0);
  expect(plan.warnings[0]).toContain('on the same host 10.0.0.1');
});

test('counts that make no cluster are refused with counts that do', () => {
  expect(countsRefusal(6, 1)).toBeUndefined();
  expect(countsRefusal(3, 0)).toBeUndefined();
  expect(countsRefusal(4, 1)).toContain('name 6 nodes');
  expect(countsRefusal(2, 0)).toContain('name 3 nodes');
  expect(countsRefusal(7, 1)).toContain('name 6 or 8 nodes');
});

test('a node that is not fresh is refused with its reason', () => {
  const rows: readonly (readonly [Partial<NodeFacts>, string])[] = [
    [{ isClusterEnabled: false }, 'cluster support off'],
    [{ knownNodes: 3 }, 'already knows 2 other nodes'],
    [{ slotsOwned: 5 }, 'already owns 5 slots'],
    [{ keys: 7 }, 'holds 7 keys'],
    [{ id: facts(0).id }, 'are the same node'],
    [{ ip: '10.0.0.1' }, 'is a loopback address'],
  ];
  for (const [changes, reason] of rows) {
    const decision = planCreate([facts(0), facts(1), facts(2, changes)], 0);
    expect(decision).toMatchObject({ kind: 'refused', because: 'nodes' });
    expect(decision.kind === 'refused' ? decision.reason : '').toContain(reason);
  }
});

test('every plan uses each node once and gives each master its replicas, spread when hosts are equal', () => {
  const hostCounts = fc.record({
    hosts: fc.integer({ min: 1, max: 6 }),
    each: fc.integer({ min: 1, max: 5 }),
    replicas: fc.integer({ min: 0, max: 2 }),
    order: fc.array(fc.nat(), { minLength: 30, maxLength: 30 }),
  });
  fc.assert(
    fc.property(hostCounts, ({ hosts, each, replicas, order }) => {
      const names = Array.from({ length: hosts * each }, (_, i) => String(1 + (i % hosts)));
      const shuffled = names
        .map((name, index) => ({ name, key: order[index] ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ name }) => name);
      const decision = planCreate(onHosts(...shuffled), replicas);
      if (decision.kind === 'refused') {
        expect(countsRefusal(names.length, replicas)).toBeDefined();
        return;
      }
      const { masters, replicas: copies } = decision.plan;
      const used = [...masters, ...copies].map(({ node }) => node.port);
      expect(new Set(used).size).toBe(names.length);
      for (const { node } of masters) {
        expect(copies.filter(({ master }) => master === node)).toHaveLength(replicas);
      }
      if (hosts >= 2 && replicas === 1) {
        expect(copies.filter(({ node, master }) => node.ip === master.ip)).toEqual([]);
      }
    }),
    { seed: 1, numRuns: 200 },
  );
});
