/** Keys of a slot that went to another node. */
import type { Slot } from '../base/index.ts';
import type { Keyspace } from '../keyspace/index.ts';
import type { ClusterHost } from './cluster-host.ts';

/** Deletes them here and at our replicas, one DEL a key as Redis does. */
export function deleteSlot(keyspace: Keyspace, host: ClusterHost, slot: Slot): void {
  const db = keyspace.db(0);
  const count = db.countInSlot(slot);
  if (count === 0) return;
  const keys: Buffer[] = [];
  db.keysInSlot(slot, count, (ref) => {
    const { buf, at, size } = db.entries.key(ref);
    keys.push(Buffer.from(buf.subarray(at, at + size)));
  });
  const { dirty } = keyspace;
  db.flushSlot(slot);
  // The DELs below are all that is passed on, also when a client's command caused this.
  keyspace.dirty = dirty;
  for (const key of keys) {
    host.propagate(0, ['DEL', key]);
    host.notifyDeleted(0, key);
  }
}
