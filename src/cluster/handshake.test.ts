/** Two machines that meet while one of them stands still: afterwards both know each other, or neither does. */
import { expect, test } from 'vitest';
import { TEST_OPTIONS, TestNetwork, type TestNode } from './test-network.ts';

const TIMEOUT_MS = TEST_OPTIONS.nodeTimeoutMs;

/** Whether the first node knows the second, by its id. */
function knows(node: TestNode, other: TestNode): boolean {
  return node.machine.nodes.some(({ id, inHandshake }) => id === other.id && !inHandshake);
}

interface Meeting {
  /** Which of the two stands still: 0 is who was asked to meet the other. */
  readonly still: number;
  /** Since the request, ms. */
  readonly from: number;
  readonly till: number;
}

/** The network after a meeting, long enough for every handshake to have ended. */
function met({ still, from, till }: Meeting): TestNetwork {
  const net = new TestNetwork(1);
  const [asked, other] = [net.addNode(), net.addNode()];
  const { port, busPort } = other.options;
  asked.admin({ kind: 'meet', ip: '127.0.0.1', port, busPort });
  net.run(from);
  const node = net.nodes[still]!;
  node.isPaused = true;
  net.run(till - from);
  node.resume();
  net.run(5 * TIMEOUT_MS);
  return net;
}

const PAUSES: readonly Meeting[] = [0, 1].flatMap((still) =>
  [0, 1, 2, 3, 4, 5].flatMap((from) =>
    [500, 900, 990, 998, 1000, 1002, 1004, 1010, 1100, 1500].map((till) => ({ still, from, till })),
  ),
);

test('who is known knows the other, whenever one of them stood still; sometimes both stay strangers', () => {
  const outcomes = PAUSES.map((meeting) => {
    const [asked, other] = met(meeting).nodes as [TestNode, TestNode];
    return { meeting, isKnown: [knows(asked, other), knows(other, asked)] };
  });
  expect(outcomes.filter(({ isKnown }) => isKnown[0] !== isKnown[1])).toEqual([]);
  expect(new Set(outcomes.map(({ isKnown }) => isKnown[0])).size).toBe(2);
});

test('a node that was forgotten on purpose stays away', () => {
  const net = met({ still: 0, from: 0, till: 100 });
  const [asked, other] = net.nodes as [TestNode, TestNode];
  expect(knows(asked, other) && knows(other, asked)).toBe(true);
  other.admin({ kind: 'forget', nodeId: asked.machine.myself.id });
  net.run(10 * TIMEOUT_MS);
  expect(knows(other, asked)).toBe(false);
  expect(knows(asked, other)).toBe(true);
});
