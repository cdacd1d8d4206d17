/** Goal: the parts of one large value go where its key belongs, also when what came before them was sent meanwhile. */
import { expect, test } from 'vitest';
import { RequestBuffer } from '../../client/index.ts';
import { RdbWriter, TYPE_HASH } from '../../rdb/index.ts';
import { Abilities, PayloadFitter } from '../flow/index.ts';
import { requestsOf } from './batch-replies.ts';
import { SnapshotWriter } from './snapshot-writer.ts';

const FIELDS = 6000;
const DB = 3;

function largeHash(): Buffer {
  const writer = new RdbWriter({ compression: false });
  writer.header({ ctimeUnixSeconds: 1, usedMemoryBytes: 1 });
  writer.selectDb(DB);
  writer.type(TYPE_HASH);
  const string = (text: string): void => writer.string(Buffer.from(text), 0, text.length);
  string('large');
  writer.length(FIELDS);
  for (let i = 0; i < FIELDS; i++) {
    string(`field ${i}`);
    string(`${i}`.padEnd(500, '-+'));
  }
  writer.end();
  return writer.take();
}

test('each piece of a snapshot asks anew where the value goes that it goes on with', () => {
  const abilities = Abilities.ofAnything();
  let lane = new RequestBuffer();
  const databases: number[] = [];
  const writer = new SnapshotWriter({
    target: {
      laneOfKey: (db) => {
        databases.push(db);
        return lane;
      },
      everyLane: () => [lane],
    },
    deferred: { expiryFor: (time) => time, add: () => undefined },
    conflict: 'replace',
    targetDb: (db) => db,
    filter: undefined,
    abilities,
    fitter: new PayloadFitter(abilities, 'refuse'),
    quarantine: () => undefined,
  });
  const snapshot = largeHash();
  const fields = new Set<string>();
  const PIECE = 256 * 1024;
  let pieces = 0;
  for (let at = 0; at < snapshot.length; at += PIECE) {
    expect(writer.push(snapshot.subarray(at, at + PIECE))).toBeUndefined();
    const { count } = lane;
    for (const [name, , ...rest] of requestsOf(lane.take(), count)) {
      if (name?.toString() !== 'HMSET') continue;
      for (let i = 0; i < rest.length; i += 2) fields.add(String(rest[i]));
    }
    if (count > 0) pieces++;
    lane = new RequestBuffer();
  }
  expect(writer.isDone).toBe(true);
  expect(pieces).toBeGreaterThan(2);
  expect(fields.size).toBe(FIELDS);
  expect(databases.length).toBeGreaterThanOrEqual(pieces);
  expect(new Set(databases)).toEqual(new Set([DB]));
});
