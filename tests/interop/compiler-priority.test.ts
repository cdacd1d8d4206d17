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
/** Behind the name in brackets: its place among the fields that follow. Source: proc(5), /proc/pid/stat. */
const NICE_FIELD = 16;

afterAll(() => rmSync(dir, { recursive: true, force: true }));

function niceOf(pid: number, thread: string): number {
  const line = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1');
  return Number(line.slice(line.lastIndexOf(')') + 2).split(' ')[NICE_FIELD]);
}

test.skipIf(!existsSync('/proc/self/task'))('one thread of a server is nicer', async () => {
  const [port = 0] = await freePorts(1);
  const node = new NodeProcess({ exe: OUR_SERVER, port, dir });
  await node.start();
  const { pid } = node;
  const own = niceOf(pid, String(pid));
  const nicer = readdirSync(`/proc/${pid}/task`).filter((each) => niceOf(pid, each) > own);
  expect(nicer.length).toBe(1);
  await node.signal('SIGTERM');
});
