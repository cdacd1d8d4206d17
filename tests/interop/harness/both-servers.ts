/** Our server and the real one beside it, of one set of tests. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { NodeProcess, freePorts } from './node-process.ts';
import { OUR_SERVER, REAL_SERVER, required } from './programs.ts';

/** Both run from before the first test until after the last. */
export class BothServers {
  /** Folder of the tests, which goes with them; the servers' own are in it. */
  readonly dir: string;
  #ours: NodeProcess | undefined;
  #real: NodeProcess | undefined;

  /** To be made where tests are described. `config`: lines of both configuration files. */
  constructor(config: readonly string[] = []) {
    const dir = mkdtempSync(join(tmpdir(), 'slotline-both-'));
    this.dir = dir;
    beforeAll(async () => {
      const [first = 0, second = 0] = await freePorts(2);
      const realExe = required(REAL_SERVER, 'redis-server');
      this.#ours = new NodeProcess({
        exe: OUR_SERVER,
        port: first,
        dir: join(dir, 'ours'),
        config,
      });
      this.#real = new NodeProcess({ exe: realExe, port: second, dir: join(dir, 'real'), config });
      await Promise.all(this.all.map((node) => node.start()));
    });
    afterAll(async () => {
      await Promise.all(this.all.map((node) => node.kill()));
      rmSync(dir, { recursive: true, force: true });
    });
  }

  get ours(): NodeProcess {
    return started(this.#ours);
  }

  get real(): NodeProcess {
    return started(this.#real);
  }

  get all(): readonly [ours: NodeProcess, real: NodeProcess] {
    return [this.ours, this.real];
  }
}

function started(node: NodeProcess | undefined): NodeProcess {
  if (node === undefined) throw new Error('Servers are there while tests run');
  return node;
}
