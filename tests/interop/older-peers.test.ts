/**
 * Goal: the tools look after clusters of servers older than 7.0, which know slots one by one only.
 * Method: `slotline cluster create`, `check`, `reshard` and `fix` on three masters.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NodeProcess, freePorts } from './harness/node-process.ts';
import { describeWithPeer } from './harness/programs.ts';
import { runSlotline } from './harness/slotline.ts';

for (const path of ['redis62/redis-server', 'redis6/redis-server']) {
  describeWithPeer(path, (exe) => {
    let folder: string;
    let nodes: NodeProcess[];

    const slotline = async (...words: readonly string[]): Promise<string> => {
      const { status, stdout, stderr } = await runSlotline('cluster', ...words);
      expect(status, stderr + stdout).toBe(0);
      return stdout;
    };

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'slotline-older-'));
      nodes = (await freePorts(3)).map(
        (port) =>
          new NodeProcess({
            exe,
            port,
            dir: join(folder, String(port)),
            config: ['cluster-enabled yes', 'cluster-node-timeout 2000'],
          }),
      );
      await Promise.all(nodes.map((node) => node.start()));
    });
    afterAll(async () => {
      await Promise.all(nodes.map((node) => node.kill()));
      rmSync(folder, { recursive: true, force: true });
    });

    test('a cluster is made, changed and mended', async () => {
      const [first = '', second = '', third = ''] = nodes.map(({ port }) => `127.0.0.1:${port}`);
      const journal = ['--yes', '--journal', folder];
      await slotline('create', first, second, third, '--yes');
      for (let n = 0; n < 300; n++) {
        const tries = await Promise.allSettled(
          nodes.map((node) => node.call('SET', `key:${n}`, n)),
        );
        expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      }
      await slotline('check', first);
      await slotline(
        ...['reshard', first, '--from', first, '--to', second, '--slots', '500'],
        ...journal,
      );
      await nodes[2]?.call('CLUSTER', 'DELSLOTS', 16383);
      await slotline('fix', first, ...journal);
      await slotline('check', first);
      const sizes = await Promise.all(nodes.map(async (node) => Number(await node.call('DBSIZE'))));
      expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(300);
    });
  });
}
