/** Goal: operators see what a process is, and it is killed as readily as the settings say. Method: what /proc says of a real one. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import { OUR_SERVER, REAL_SERVER } from './harness/programs.ts';
import { RespConnection } from './harness/resp-connection.ts';

const dir = mkdtempSync(join(tmpdir(), 'slotline-own-process-'));

afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Seen {
  readonly title: string;
  /** The score after each step, less what it was before the first. */
  readonly scores: readonly number[];
}

/** Steps of CONFIG SET that leave a trace in the score. */
const STEPS = [
  ['oom-score-adj-values', '10 20 30'],
  ['oom-score-adj', 'yes'],
  ['oom-score-adj-values', '15 20 30'],
  ['oom-score-adj', 'no'],
] as const;

async function look(name: string, exe: string): Promise<Seen> {
  const [port = 0] = await freePorts(1);
  const node = new NodeProcess({ exe, port, dir: join(dir, name) });
  await node.start();
  const read = (file: string): string => readFileSync(`/proc/${node.pid}/${file}`, 'latin1');
  const connection = await RespConnection.open(port);
  const before = Number(read('oom_score_adj'));
  const scores: number[] = [];
  for (const [directive, value] of STEPS) {
    await connection.call('CONFIG', 'SET', directive, value);
    scores.push(Number(read('oom_score_adj')) - before);
  }
  const title = read('cmdline').replace(/\0+$/, '').replace(String(port), 'PORT');
  connection.close();
  await node.signal('SIGTERM');
  return { title, scores };
}

const SERVERS = [
  ['ours', OUR_SERVER],
  ['redis-server', REAL_SERVER],
] as const;

test.each(SERVERS)('title and score of %s', async (name, exe) => {
  if (exe === undefined || !existsSync('/proc/self/oom_score_adj')) return;
  const { title, scores } = await look(name, exe);
  expect(title).toMatch(/(slotline|redis)-server 127\.0\.0\.1:PORT$/);
  expect(scores).toEqual([0, 10, 15, 0]);
});
