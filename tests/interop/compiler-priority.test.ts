/**
 * Goal: the thread that compiles stands back behind the ones that serve. Method: the nice values of a real process's
 * threads, where the kernel shows them.
 */
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import { OUR_SERVER } from './harness/programs.ts';

const dir = mkdtempSync(join(tmpdir(), 'slotline-priority-'));
// Places among the fields behind the name in brackets. Source: proc(5), /proc/pid/stat.
const USER_TICKS_FIELD = 11;
const NICE_FIELD = 16;

afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface ThreadFacts {
  readonly nice: number;
  readonly userTicks: number;
}

function factsOf(pid: number, thread: string): ThreadFacts {
  const line = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return { nice: Number(fields[NICE_FIELD]), userTicks: Number(fields[USER_TICKS_FIELD]) };
}

test.skipIf(!existsSync('/proc/self/task'))('the thread that has compiled is nicer', async () => {
  const [port = 0] = await freePorts(1);
  const node = new NodeProcess({ exe: OUR_SERVER, port, dir });
  await node.start();
  const { pid } = node;
  const own = factsOf(pid, String(pid));
  const others = readdirSync(`/proc/${pid}/task`).filter((each) => each !== String(pid));
  const facts = others.map((each) => factsOf(pid, each));
  // The warm-up had it compile; the others have done nothing yet.
  const busiest = facts.toSorted((a, b) => b.userTicks - a.userTicks)[0];
  expect(facts.filter(({ nice }) => nice > own.nice)).toEqual([busiest]);
  await node.signal('SIGTERM');
});
