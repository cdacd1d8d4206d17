/**
 * The way home after a cutover: a run from the target to the source that needs no copy, because at this moment the two are
 * equal. It begins with what is written to the target from now on.
 */
import { join } from 'node:path';
import { Deployment, type DeploymentOptions, downloadRdb, replyFacts } from '../../client/index.ts';
import { ProgressKeys } from '../flow/index.ts';
import { NO_SLOTS, type StreamPlace, endName, offsetsOf, slotsText } from './ends.ts';
import { formatMark } from './marks.ts';
import { RunState, newCopyId } from './run-state.ts';
import { markSlots } from './stream-sender.ts';

const DOWNLOAD_MS = 60_000;

export interface WayBack {
  /** Folder for the run that goes back. */
  readonly dir: string;
  /** Stores the beginning on the source, which must take writes again. Throws ClientError. */
  finish(): Promise<void>;
}

/** Notes where the target's streams stand. Throws ClientError and ToolError. */
export async function prepareReturn(options: {
  readonly source: DeploymentOptions;
  readonly target: DeploymentOptions;
  readonly dir: string;
}): Promise<WayBack> {
  const dir = join(options.dir, 'back');
  const target = await Deployment.open(options.target);
  const slots = target.masters().map((_, master) => slotsText(target, master));
  const places = await beginStreams(target);
  target.close();
  const finish = async (): Promise<void> => {
    const ends = { source: endName(options.target), target: endName(options.source) };
    const state = RunState.open(dir, ends, true);
    const source = await Deployment.open(options.source);
    try {
      const marked = markSlots(source);
      for (const [index, { replid, offset }] of places.entries()) {
        const id = newCopyId();
        const keys = new ProgressKeys(id, source.isCluster);
        const mark = formatMark({ offset, db: 0, replid, isSettled: true });
        for (const slot of marked) {
          const key = keys.mark(slot);
          await source.call(0, Buffer.from(key), 'SET', key, mark);
        }
        const record = { id, phase: 'stream', markSlots: marked, wholeFrom: offset } as const;
        state.setCopy(state.add(slots[index] ?? NO_SLOTS), record);
      }
    } finally {
      source.close();
      state.close();
    }
  };
  return { dir, finish };
}

/** Where the streams stand, in database 0, of masters that keep them from now on. */
async function beginStreams(target: Deployment): Promise<readonly StreamPlace[]> {
  for (const [master, { host, port }] of target.masters().entries()) {
    const client = await target.connection(master);
    const facts = replyFacts(await client.call('INFO', 'replication'));
    // A master without a replica keeps none before somebody asks for all of its data.
    if (facts.get('repl_backlog_active') === '0') {
      const options = { ...target.address, host, port, timeoutMs: DOWNLOAD_MS };
      await downloadRdb(options, () => Promise.resolve());
    }
  }
  if (!target.isCluster) {
    // The last write says which database is selected.
    const key = new ProgressKeys(newCopyId(), false).mark(0);
    await target.call(0, Buffer.from(key), 'SET', key, '');
    await target.call(0, Buffer.from(key), 'DEL', key);
  }
  return offsetsOf(target);
}
