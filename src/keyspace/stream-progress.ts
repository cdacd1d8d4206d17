/**
 * How far consumer groups are: entries read and entries to go, which are known only while no
 * deleted entry is in the way. Source: 7.0 t_stream.c, observed in XINFO GROUPS.
 */
import type { Ref } from './arena.ts';
import { ENTRIES_READ_UNKNOWN } from './stream-groups.ts';
import { StreamId } from './stream-id.ts';
import type { Streams } from './streams.ts';

// Scratch: set and read within one call, never kept between two.
const ID = new StreamId();
const DELETED = new StreamId();
const LAST = new StreamId();

/** Which of all entries ever added the one with this id is, counted from 1; or ENTRIES_READ_UNKNOWN. */
export function entriesUpTo(streams: Streams, stream: Ref, id: StreamId): number | bigint {
  const added = streams.entriesAdded(stream);
  if (added === 0) return 0;
  const toLast = id.compare(streams.readLastId(stream, ID));
  if (streams.length(stream) === 0 && toLast <= 0) return added;
  if (toLast === 0) return added;
  if (toLast > 0) return ENTRIES_READ_UNKNOWN;
  const first = streams.readFirstId(stream, ID);
  const deleted = streams.readMaxDeletedId(stream, DELETED);
  if (!deleted.isZero && deleted.compare(first) >= 0) return ENTRIES_READ_UNKNOWN;
  // Only entries before the first one are gone.
  const toFirst = id.compare(first);
  if (toFirst > 0) return ENTRIES_READ_UNKNOWN;
  return minus(added, streams.length(stream) - (toFirst < 0 ? 0 : 1));
}

/** Entries that the group has yet to read; undefined when nobody can tell. */
export function lagOf(streams: Streams, stream: Ref, group: Ref): number | bigint | undefined {
  const added = streams.entriesAdded(stream);
  if (added === 0) return 0;
  const { groups } = streams;
  const lastId = groups.readLastId(group, LAST);
  const read = groups.entriesRead(group);
  if (read !== ENTRIES_READ_UNKNOWN && !streams.hasTombstones(stream, lastId)) {
    return minus(added, read);
  }
  const upTo = entriesUpTo(streams, stream, lastId);
  return upTo === ENTRIES_READ_UNKNOWN ? undefined : minus(added, upTo);
}

/** Notes that the group was given the entry with this id, which is behind its last one. */
export function noteRead(streams: Streams, stream: Ref, group: Ref, id: StreamId): void {
  const { groups } = streams;
  const read = groups.entriesRead(group);
  if (read !== ENTRIES_READ_UNKNOWN && !streams.hasTombstones(stream, id)) {
    groups.setEntriesRead(group, typeof read === 'number' ? read + 1 : read + 1n);
  } else if (streams.entriesAdded(stream) !== 0) {
    groups.setEntriesRead(group, entriesUpTo(streams, stream, id));
  }
  groups.setLastId(group, id);
}

function minus(a: number | bigint, b: number | bigint): number | bigint {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return BigInt.asIntN(64, BigInt(a) - BigInt(b));
}
