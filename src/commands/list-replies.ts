/** Answers elements of a list in their order. */
import type { ListCursor } from '../keyspace/index.ts';
import { listpackInt, listpackNext } from '../rdb/index.ts';
import { type ReplyWriter, SHORT_BULK_LIMIT, SPARE_BYTES, ShortBulks } from '../resp/index.ts';
import { replyView } from './key-access.ts';

// A listpack's string of up to 63 bytes has its size in the low bits of its first byte, one of up
// to 4095 in these and the second byte.
const STRING_6_BIT = 0x80;
const STRING_6_BIT_END = 0xc0;
const STRING_12_BIT = 0xe0;
const STRING_12_BIT_END = 0xf0;
const INT_MAX = 0x7fff_ffff;

const BULKS = new ShortBulks();

/** Answers `count` elements, of which there are so many, from the one that the cursor stands at. */
export function replyElements(cursor: ListCursor, count: number, reply: ReplyWriter): void {
  if (reply.isMuted) return;
  let left = count;
  while (left > 0) {
    left -= replyShort(cursor, left, reply);
    if (left > 0) {
      replyView(reply, cursor.readForward());
      left--;
    }
  }
}

/**
 * Answers short elements of the chunk that the cursor stands in, until another comes; returns how
 * many they were.
 */
function replyShort(cursor: ListCursor, max: number, reply: ReplyWriter): number {
  const { view, buf, end } = cursor;
  if (end + SPARE_BYTES > view.byteLength) return 0;
  let { pos } = cursor;
  const count = Math.min(max, cursor.runCount);
  BULKS.begin(reply, count, Math.min(end - pos, count * SHORT_BULK_LIMIT));
  let done = 0;
  for (; done < count && pos !== end; done++) {
    const first = buf[pos]!;
    if (first >= STRING_6_BIT && first < STRING_6_BIT_END) {
      const size = first & 63;
      BULKS.bytes(view, pos + 1, size);
      pos += size + 2;
      continue;
    }
    if (first >= STRING_12_BIT && first < STRING_12_BIT_END) {
      const size = ((first & 15) << 8) | buf[pos + 1]!;
      if (size >= SHORT_BULK_LIMIT) break;
      BULKS.bytes(view, pos + 2, size);
    } else {
      const int = listpackInt(buf, pos);
      if (typeof int !== 'number' || int < 0 || int > INT_MAX) break;
      BULKS.int(int);
    }
    pos = listpackNext(buf, pos);
  }
  BULKS.end(reply);
  cursor.moveTo(pos);
  return done;
}
