/** One side of a comparison: a database of a deployment, asked about many keys at once. */
import { type Deployment, NOBODY, type RawReplies, RequestBuffer } from '../../client/index.ts';
import type { KeyBatch } from './key-batch.ts';

export interface Side {
  readonly deployment: Deployment;
  readonly db: number;
}

/** Where the replies about each key are; keys by their place in the list that was asked about. */
export interface Answers {
  /** Bytes that hold reply `command` about a key. */
  readonly bufs: readonly Buffer[];
  /** Reply `command` about key `n` is `bufs[n]` from `starts[n * perKey + command]`. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

export interface Question {
  readonly batch: KeyBatch;
  /** Indexes of the keys in `batch`. */
  readonly keys: readonly number[];
  /** Commands about each key. */
  readonly perKey: number;
  /** Writes them. */
  write(out: RequestBuffer, batch: KeyBatch, index: number): void;
}

/** One connection's part of a question. */
interface Lane {
  readonly out: RequestBuffer;
  /** Places in the list of keys. */
  readonly places: number[];
}

/** A key that no node owns is asked about at the first: its error says so. */
const FALLBACK = 0;

/** Asks every node about its keys; one exchange for each node. */
export async function ask(side: Side, question: Question): Promise<Answers> {
  const { batch, keys, perKey } = question;
  const lanes = new Map<number, Lane>();
  for (let place = 0; place < keys.length; place++) {
    const index = keys[place]!;
    const owner = side.deployment.ownerOf(batch.buf, batch.at[index]!, batch.size[index]!);
    const lane = laneOf(lanes, owner === NOBODY ? FALLBACK : owner);
    lane.places.push(place);
    question.write(lane.out, batch, index);
  }
  const bufs: Buffer[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  const asked = [...lanes].map(async ([master, lane]) => {
    const client = await side.deployment.connection(master, side.db);
    const { count } = lane.out;
    spread(await client.exchange(lane.out.take(), count), lane, { bufs, starts, ends, perKey });
  });
  await Promise.all(asked);
  return { bufs, starts, ends };
}

function laneOf(lanes: Map<number, Lane>, master: number): Lane {
  let lane = lanes.get(master);
  if (lane === undefined) {
    lane = { out: new RequestBuffer(), places: [] };
    lanes.set(master, lane);
  }
  return lane;
}

interface Spread {
  readonly bufs: Buffer[];
  readonly starts: number[];
  readonly ends: number[];
  readonly perKey: number;
}

function spread(replies: RawReplies, { places }: Lane, into: Spread): void {
  const { perKey } = into;
  for (let n = 0; n < places.length; n++) {
    const place = places[n]!;
    into.bufs[place] = replies.buf;
    for (let command = 0; command < perKey; command++) {
      into.starts[place * perKey + command] = replies.starts[n * perKey + command]!;
      into.ends[place * perKey + command] = replies.ends[n * perKey + command]!;
    }
  }
}
