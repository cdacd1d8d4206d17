/**
 * The short form of `npm run chaos -- disk`, which needs no root: a limit on the size of files ends the growth of the log
 * in the middle of a command, as a full disk does.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NodeProcess, freePorts } from '../interop/harness/node-process.ts';
import { OUR_SERVER, PRLIMIT, required } from '../interop/harness/programs.ts';
import { ReplyError } from '../interop/harness/resp-connection.ts';
import { until } from '../interop/harness/until.ts';

const LIMIT_BYTES = 100_000;
const WRITES_MAX = 10_000;
const BOUND_MS = 10_000;

test.skipIf(PRLIMIT === undefined)(
  'a log that hits its limit goes on behind its last whole command',
  async () => {
    const dir = mkdtempSync(join(tmpdir(), 'slotline-chaos-'));
    const exe = join(dir, 'server');
    // Blocks of half a kilobyte.
    const script = `#!/bin/sh\nulimit -S -f ${Math.floor(LIMIT_BYTES / 512)}\nexec '${OUR_SERVER}' "$@"\n`;
    writeFileSync(exe, script, { mode: 0o755 });
    const [port = 0] = await freePorts(1);
    const node = new NodeProcess({ exe, port, dir, config: ['appendonly yes'] });
    try {
      await node.start();
      const acknowledged = await pushUntilRefused(node);
      execFileSync(required(PRLIMIT, 'prlimit'), [`--pid=${node.pid}`, '--fsize=unlimited']);
      await until(() => node.call('RPUSH', 'list', 'after'), BOUND_MS, 'writes go on');
      const list = await node.call('LRANGE', 'list', 0, -1);
      await node.signal('SIGTERM');
      await node.start();
      expect(await node.call('LRANGE', 'list', 0, -1)).toEqual(list);
      expect(list).toContain(acknowledged);
    } finally {
      await node.kill();
    }
    rmSync(dir, { recursive: true, force: true });
  },
);

/** The last element that was acknowledged. */
async function pushUntilRefused(node: NodeProcess): Promise<string> {
  let acknowledged = '';
  for (let i = 0; i < WRITES_MAX; i++) {
    const element = `${i}:${'x'.repeat(100)}`;
    try {
      await node.call('RPUSH', 'list', element);
      acknowledged = element;
    } catch (error) {
      if (error instanceof ReplyError && error.message.startsWith('MISCONF')) return acknowledged;
      throw error;
    }
  }
  throw new Error('the limit was not met');
}
