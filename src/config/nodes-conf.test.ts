import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nodeId } from '../base/index.ts';
import {
  type NodesConf,
  type NodesConfFlag,
  type NodesConfNode,
  formatNodesConf,
  parseNodesConf,
} from './nodes-conf.ts';

const A = 'e40f26e793309922fc2f4376ad268aeae39f1330';
const B = 'c69f622174bab498e3da4464573666046af4d03e';
const ME = `${A} 127.0.0.1:21305@21355 myself,master - 0 0 1 connected 0-5`;
const OTHER = `${B} 127.0.0.1:21306@21356 master - 0 0 2 connected 6`;
const VARS = 'vars currentEpoch 3 lastVoteEpoch 1';

/** A file that redis-server 7.0.15 wrote: a failed master, moving slots, a hostname, a replica. */
const REAL = `c69f622174bab498e3da4464573666046af4d03e 127.0.0.1:21312@21362 master,fail - 1795201593491 1795201592485 1 disconnected 10922-16383
e40f26e793309922fc2f4376ad268aeae39f1330 127.0.0.1:21310@21360 myself,master - 0 1795201595000 0 connected 0-199 201-299 302-5460 [100->-195c9d12844e2c7475d96ffa7ac9a556dd34eda0]
195c9d12844e2c7475d96ffa7ac9a556dd34eda0 127.0.0.1:21311@21361,host-1.example master - 0 1795201596511 2 connected 5461-10921
1f9a2a4d953a4418d2aa37208122ccbf0cf30bfc 127.0.0.1:21313@21363 slave e40f26e793309922fc2f4376ad268aeae39f1330 0 1795201596511 0 connected
vars currentEpoch 3 lastVoteEpoch 0
`;

function loaded(text: string): NodesConf {
  const parsed = parseNodesConf(text);
  if (parsed.kind !== 'loaded') throw new Error(JSON.stringify(parsed));
  return parsed.conf;
}

function damage(text: string): string {
  const parsed = parseNodesConf(text);
  return parsed.kind === 'damaged' ? `${parsed.damage.line} ${parsed.damage.reason}` : parsed.kind;
}

test('a file of a real cluster reads and writes back byte for byte', () => {
  const conf = loaded(REAL);
  expect(formatNodesConf(conf)).toBe(REAL);
  expect(conf.nodes[0]).toMatchObject({ flags: ['master', 'fail'], linkState: 'disconnected' });
  expect(conf.nodes[1]?.migrating).toEqual([
    { slot: 100, to: '195c9d12844e2c7475d96ffa7ac9a556dd34eda0' },
  ]);
  expect(conf.nodes[2]?.hostname).toBe('host-1.example');
  expect(conf.nodes[3]?.masterId).toBe(A);
});

test('of what Valkey 9.1 writes behind a hostname the shard id is kept', () => {
  const shard = '70f9f84387076cb52450b754203b1dd7c72731fb';
  const more = 'availability-zone=z,client-tcp-port=9001,client-ipv6=fe80::2,tls-port=0,nodename=n';
  const text = `${ME.replace('@21355', `@21355,host1.ex,${more},shard-id=${shard}`)}\n${VARS}\n`;
  const conf = loaded(text);
  expect(conf.nodes[0]).toMatchObject({ hostname: 'host1.ex', shardId: shard });
  expect(formatNodesConf(conf)).toBe(text.replace(`,${more}`, ''));
  const unnamed = `${ME.replace('@21355', `@21355,,tls-port=0,shard-id=${shard}`)}\n${VARS}\n`;
  expect(loaded(unnamed).nodes[0]).toMatchObject({ hostname: undefined, shardId: shard });
  expect(formatNodesConf(loaded(unnamed))).toBe(unnamed.replace('tls-port=0,', ''));
  expect(damage(unnamed.replace(shard, 'x'))).toBe('1 badShardId');
});

test('an importing slot reads and writes back', () => {
  const text = `${ME} [100-<-${B}]\n${VARS}\n`;
  expect(loaded(text).nodes[0]?.importing).toEqual([{ slot: 100, from: B }]);
  expect(formatNodesConf(loaded(text))).toBe(text);
});

test('an empty file is a new node', () => {
  expect(parseNodesConf('')).toEqual({ kind: 'fresh' });
});

test('what redis-server 7.0 tolerates is tolerated', () => {
  const whole = loaded(`${ME}\n${OTHER}\n${VARS}\n`);
  expect(loaded(`\n${ME}\r\n${OTHER}\r\n${VARS}\r\n`)).toEqual(whole);
  expect(loaded(`${ME}\n${OTHER}\n${VARS}`)).toEqual(whole);
  expect(loaded(`${VARS} foo 9\n${ME}\n${OTHER}\n`)).toEqual(whole);
  expect(loaded(`${ME}\n`)).toMatchObject({ currentEpoch: 0, lastVoteEpoch: 0 });
  expect(loaded(`${ME.replace('@21355', '')}\n`).nodes[0]?.busPort).toBe(31305);
  expect(loaded(`${ME.replace('127.0.0.1', '')}\n`).nodes[0]?.host).toBe('');
  expect(loaded(`${ME.replace('127.0.0.1', 'fe80::1')}\n`).nodes[0]?.host).toBe('fe80::1');
  expect(loaded(`${ME}\n${OTHER.replace('master', 'noflags')}\n`).nodes[1]?.flags).toEqual([]);
});

test('the extra fields of 7.2 are passed over', () => {
  const extra = `@21355,,tls-port=0,shard-id=${A}`;
  expect(loaded(`${ME.replace('@21355', extra)}\n`).nodes[0]?.hostname).toBeUndefined();
  const named = `@21355,h.example,tls-port=0,shard-id=${A}`;
  expect(loaded(`${ME.replace('@21355', named)}\n`).nodes[0]?.hostname).toBe('h.example');
});

test('a damaged file says which line and why', () => {
  const cases: readonly (readonly [string, string])[] = [
    [`${OTHER}\n${VARS}\n`, '3 noMyself'],
    ['\n', '2 noMyself'],
    [`${ME}\nvars currentEp`, '2 badVars'],
    [`${ME}\nvars currentEpoch 3 lastVoteEpoch`, '2 badVars'],
    [`${ME}\nvars currentEpoch x lastVoteEpoch 1\n`, '2 badNumber'],
    [`${ME}\nvars currentEpoch 99999999999999999 lastVoteEpoch 1\n`, '2 badNumber'],
    [`${ME}\n${OTHER}`, '2 cutLine'],
    [`# note\n${ME}\n`, '1 tooFewFields'],
    [`${ME}\n${OTHER.slice(1)}\n`, '2 badNodeId'],
    [`${ME}\n${OTHER.toUpperCase()}\n`, '2 badNodeId'],
    [`${ME}\n${ME.replace('myself,', '').replace('0-5', '6')}\n`, '2 nodeTwice'],
    [`${ME.replace(':21305@21355', '')}\n`, '1 badAddress'],
    [`${ME.replace('21305@', '65536@')}\n`, '1 badAddress'],
    [`${ME.replace('master', 'boss')}\n`, '1 unknownFlag'],
    [`${ME.replace('myself,', 'myself,,')}\n`, '1 unknownFlag'],
    [`${ME}\n${OTHER.replace('master', 'myself,master')}\n`, '2 secondMyself'],
    [`${ME}\n${OTHER.replace('master -', 'slave xyz')}\n`, '2 badMasterId'],
    [`${ME.replace('0 0 1', '0 0 x')}\n`, '1 badNumber'],
    [`${ME.replace('connected', 'up')}\n`, '1 badLinkState'],
    [`${ME.replace('0-5', '0-16384')}\n`, '1 badSlot'],
    [`${ME.replace('0-5', '5-0')}\n`, '1 badSlot'],
    [`${ME} [9\n`, '1 badSlot'],
    [`${ME} [16384->-${B}]\n`, '1 badSlot'],
    [`${ME}\n${OTHER.replace(' 6', ' 5')}\n`, '2 slotTwice'],
    [`${ME.replace('master', '"master')}\n`, '1 unbalancedQuotes'],
  ];
  for (const [text, expected] of cases) expect(damage(text), text).toBe(expected);
});

const FLAG_ORDER: readonly NodesConfFlag[] = ['master', 'slave', 'fail?', 'fail', 'noaddr'];
const anId = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((bytes) => nodeId(Buffer.from(bytes).toString('hex')));
const aNode: fc.Arbitrary<NodesConfNode> = fc.record({
  id: anId,
  host: fc.constantFrom('', '10.0.0.1', '::1', 'fe80::1:2'),
  port: fc.nat(65535),
  busPort: fc.nat(65535),
  hostname: fc.constantFrom(undefined, 'a', 'host-1.example'),
  flags: fc.subarray([...FLAG_ORDER]),
  masterId: fc.option(anId, { nil: undefined }),
  pingSentUnixMs: fc.maxSafeNat(),
  pongReceivedUnixMs: fc.maxSafeNat(),
  configEpoch: fc.maxSafeNat(),
  linkState: fc.constantFrom('connected' as const, 'disconnected' as const),
  slots: fc.constant([]),
  migrating: fc.constant([]),
  importing: fc.constant([]),
});
const aConf: fc.Arbitrary<NodesConf> = fc
  .record({
    nodes: fc.uniqueArray(aNode, { selector: (n) => n.id, minLength: 1, maxLength: 5 }),
    cuts: fc.uniqueArray(fc.nat(16383), { maxLength: 12 }),
    moved: fc.uniqueArray(fc.nat(16383), { maxLength: 4 }),
    other: anId,
    currentEpoch: fc.maxSafeNat(),
    lastVoteEpoch: fc.maxSafeNat(),
  })
  .map(({ nodes, cuts, moved, other, currentEpoch, lastVoteEpoch }) => {
    const ends = [...cuts].sort((a, b) => a - b);
    const ranges = ends.map((end, i): [number, number] => [i === 0 ? 0 : ends[i - 1]! + 1, end]);
    const order = [...moved].sort((a, b) => a - b);
    const migrating = order.filter((slot) => slot % 2 === 0).map((slot) => ({ slot, to: other }));
    const importing = order.filter((slot) => slot % 2 === 1).map((slot) => ({ slot, from: other }));
    return {
      nodes: nodes.map((node, i): NodesConfNode => {
        const slots = ranges.filter((_, r) => r % nodes.length === i);
        if (i > 0) return { ...node, slots };
        return { ...node, flags: ['myself', ...node.flags], slots, migrating, importing };
      }),
      currentEpoch,
      lastVoteEpoch,
    };
  });

test('whatever is written reads back as the same', () => {
  fc.assert(
    fc.property(aConf, (conf) => {
      expect(parseNodesConf(formatNodesConf(conf))).toEqual({ kind: 'loaded', conf });
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('no text makes the reader throw', () => {
  const piece = fc.oneof(
    fc.constantFrom(A, B, ME, OTHER, VARS, '\n', ' ', '"', '0-5', '[', 'vars', ':1@2', ',', '-'),
    fc.string({ maxLength: 6 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), fc.constantFrom('', ' ', '\n'), (parts, by) => {
      expect(['fresh', 'loaded', 'damaged']).toContain(parseNodesConf(parts.join(by)).kind);
    }),
    { seed: 1, numRuns: 500 },
  );
});

test('every cut of a real file is either refused or loses nothing but whole lines', () => {
  const lines = REAL.split('\n').length - 1;
  for (let size = 1; size < REAL.length; size++) {
    const parsed = parseNodesConf(REAL.slice(0, size));
    if (parsed.kind !== 'loaded') continue;
    const whole = REAL.slice(0, size).split('\n').length - 1;
    expect(size === REAL.length - 1 || parsed.conf.nodes.length === Math.min(whole, lines)).toBe(
      true,
    );
  }
});
