/** How far an earlier run came, as the target itself says: marks and positions are stored there beside the data. */
import { type Deployment, NOBODY, RequestBuffer, replyText } from '../../client/index.ts';
import { ReplyError } from '../../resp/index.ts';
import type { ProgressKeys } from '../flow/index.ts';
import { type StreamPosition, parseMark } from './marks.ts';

export interface StoredProgress {
  /** All of the source's stream up to here is carried out. */
  readonly position: StreamPosition;
  /** By slot: up to these offsets its commands are carried out too. A single server has slot 0. */
  readonly bySlot: ReadonlyMap<number, number>;
  /** The highest offset of which anything was carried out for certain. */
  readonly topOffset: number;
}

/** Undefined when the target does not know any more. Throws ClientError. */
export async function readProgress(
  deployment: Deployment,
  keys: ProgressKeys,
  markSlots: readonly number[],
): Promise<StoredProgress | undefined> {
  const bySlot = await readPositions(deployment, keys);
  let lowest: StreamPosition | undefined;
  let topOffset = Math.max(0, ...bySlot.values());
  let isSettled = true;
  for (const slot of markSlots) {
    const mark = parseMark(await get(deployment, keys.mark(slot)));
    if (mark === undefined) return undefined;
    isSettled &&= mark.isSettled;
    topOffset = Math.max(topOffset, mark.offset);
    if (lowest === undefined || mark.offset < lowest.offset) lowest = mark;
  }
  if (lowest === undefined) return undefined;
  return { position: { ...lowest, isSettled }, bySlot, topOffset };
}

async function readPositions(
  deployment: Deployment,
  keys: ProgressKeys,
): Promise<ReadonlyMap<number, number>> {
  const found = new Map<number, number>();
  await eachSlot(
    deployment,
    keys,
    ['GET'],
    (slot) => [keys.position(slot)],
    (slot, text) => {
      const offset = Number(text);
      if (text !== '' && Number.isSafeInteger(offset)) found.set(slot, offset);
    },
  );
  return found;
}

/** Removes all that is stored of this copy. Throws ClientError. */
export async function removeProgress(deployment: Deployment, keys: ProgressKeys): Promise<void> {
  const names = (slot: number): string[] => [keys.position(slot), keys.mark(slot)];
  await eachSlot(deployment, keys, ['DEL'], names, () => undefined);
}

/** Asks about keys of each slot, many at once; `take` gets bulk replies as text, '' for anything else. */
async function eachSlot(
  deployment: Deployment,
  keys: ProgressKeys,
  words: readonly string[],
  names: (slot: number) => readonly string[],
  take: (slot: number, text: string) => void,
): Promise<void> {
  const lanes = deployment
    .masters()
    .map(() => ({ out: new RequestBuffer(), slots: [] as number[] }));
  for (let slot = 0; slot < keys.slotCount; slot++) {
    const owner = deployment.isCluster ? deployment.ownerOfSlot(slot) : 0;
    const lane = lanes[owner === NOBODY ? 0 : owner]!;
    const args = [...words, ...names(slot)];
    lane.out.begin(args.length);
    for (const arg of args) lane.out.word(arg);
    lane.slots.push(slot);
  }
  const asked = lanes.map(async ({ out, slots }, master) => {
    if (slots.length === 0) return;
    const client = await deployment.connection(master);
    const { buf, starts, ends } = await client.exchange(out.take(), slots.length);
    for (const [i, slot] of slots.entries()) {
      const [start, end] = [starts[i]!, ends[i]!];
      if (buf[start] === MINUS) {
        // Redirected: its slot is on its way.
        const [key = ''] = names(slot);
        take(slot, replyText(await deployment.call(0, Buffer.from(key), ...words, ...names(slot))));
      } else if (buf[start] === DOLLAR && buf[start + 1] !== MINUS) {
        take(slot, buf.toString('latin1', buf.indexOf(LF, start) + 1, end - 2));
      }
    }
  });
  await Promise.all(asked);
}

const MINUS = 0x2d;
const DOLLAR = 0x24;
const LF = 0x0a;

async function get(deployment: Deployment, key: string): Promise<string> {
  return replyText(await deployment.call(0, Buffer.from(key), 'GET', key));
}

/**
 * Ends connections that an earlier run left behind: commands that it sent might be carried out yet, after their positions
 * were read. Throws ClientError, and ReplyError where that is not allowed.
 */
export async function endOldConnections(deployment: Deployment, name: string): Promise<void> {
  const ended = deployment.masters().map(async (_, master) => {
    const client = await deployment.connection(master);
    const list = replyText(await client.call('CLIENT', 'LIST'));
    for (const line of list.split('\n')) {
      if (!line.includes(` name=${name} `)) continue;
      const id = /^id=(\d+) /.exec(line)?.[1];
      if (id !== undefined) await endConnection(client, id);
    }
  });
  await Promise.all(ended);
}

async function endConnection(
  client: Awaited<ReturnType<Deployment['connection']>>,
  id: string,
): Promise<void> {
  const [reply] = await client.pipeline([['CLIENT', 'KILL', 'ID', id]]);
  // Gone by itself meanwhile: 0.
  if (reply instanceof ReplyError) throw reply;
}
