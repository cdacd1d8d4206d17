/** Splicing blobs against strings, through all places that a blob can be in. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { seededRng } from '../base/index.ts';
import { spliceBlob } from './blob.ts';
import { ENCODING_LISTPACK, TYPE_HASH } from './entry.ts';
import { Keyspace, NO_EXPIRY } from './index.ts';

const hooks = { expired: () => {}, touched: () => {}, replaced: () => {}, rubbish: () => {} };

test('a spliced blob is what the spliced text is, and its memory comes back', () => {
  const splices = fc.array(
    fc.tuple(fc.nat(), fc.nat(400), fc.oneof(fc.nat(20), fc.nat(700)), fc.boolean()),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(fc.nat(2000), splices, (size, steps) => {
      const keyspace = new Keyspace({ rng: seededRng(1), hooks });
      const db = keyspace.db(0);
      let model = Buffer.alloc(size, 'abcdefghijklm');
      const key = { buf: Buffer.from('key'), at: 0, size: 3 };
      let ref = db.addBlob(key, TYPE_HASH, ENCODING_LISTPACK, { buf: model, at: 0, size });
      for (const [place, take, added, expires] of steps) {
        const offset = model.length === 0 ? 0 : place % model.length;
        const removed = Math.min(take, model.length - offset);
        const fresh = Buffer.alloc(added, `${place}-`);
        model = Buffer.concat([model.subarray(0, offset), fresh, model.subarray(offset + removed)]);
        ref = spliceBlob(db, ref, offset, removed, added);
        const view = db.entries.stringView(ref);
        fresh.copy(view.buf, view.at + offset);
        ref = expires ? db.setExpire(ref, 1e12) : db.persist(ref);
        expect(db.find(key.buf, 0, 3)).toBe(ref);
        const after = db.entries.stringView(ref);
        expect(Buffer.from(after.buf.subarray(after.at, after.at + after.size))).toEqual(model);
        expect(db.entries.type(ref)).toBe(TYPE_HASH);
        expect(db.entries.encodingName(ref)).toBe('listpack');
      }
      const capacity = db.store.memoryUsage(ref, 0);
      expect(capacity).toBeLessThan(model.length * 2 + 120);
      db.setString(key.buf, 0, 3, { buf: key.buf, at: 0, size: 1 }, NO_EXPIRY);
      db.delete(db.find(key.buf, 0, 3));
      expect(db.store.arena.usedBytes).toBe(0);
    }),
  );
});
