/**
 * Promises of a state file, on disk in one short write. The file itself is replaced whole, which costs the file system
 * two commits of its own journal: milliseconds that the other nodes of a failover wait for. Here the new text is
 * written over blocks that exist already, where syncing the data is enough.
 *
 * Two places take turns, so that a write that a power cut tears leaves the promise before it whole. A record counts
 * only beside a file with one of the texts that it was written over, its bases: a file that was replaced since, by us,
 * by an operator or by another server, is newer.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';

/** What a place holds: the text, and digests of the texts that the file may have on disk. `null`: nothing counts. */
export interface JournalRecord {
  readonly sequence: number;
  readonly bases: readonly string[];
  readonly text: string | null;
}

const PLACES = 2;
const PLACE_BYTES_MIN = 8192;
/** A place is made this many times larger than the text that did not fit. */
const GROWTH = 2;
const DIGEST_BYTES = 32;
/** Digest of the rest, then the size of the record. */
const HEAD_BYTES = DIGEST_BYTES + 4;

/** Names a text in the bases of a record. */
export function textDigest(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex');
}

export class StateJournal {
  readonly #file: number;
  #placeBytes: number;
  #sequence: number;

  /** Opens the journal or makes an empty one; the directory is the caller's to sync. */
  constructor(path: string) {
    this.#file = openSync(path, 'a+', 0o644);
    closeSync(this.#file);
    this.#file = openSync(path, 'r+');
    this.#placeBytes = Math.floor(fstatSync(this.#file).size / PLACES);
    if (this.#placeBytes < PLACE_BYTES_MIN) this.#make(PLACE_BYTES_MIN);
    this.#sequence = this.latest()?.sequence ?? 0;
  }

  /** The newest whole record. */
  latest(): JournalRecord | undefined {
    let latest: JournalRecord | undefined;
    for (let place = 0; place < PLACES; place++) {
      const record = this.#read(place);
      if (record !== undefined && record.sequence > (latest?.sequence ?? 0)) latest = record;
    }
    return latest;
  }

  /** Makes the places large enough for texts of this size. What they held is gone. */
  makeRoomFor(text: string): void {
    const wanted = (text.length + HEAD_BYTES) * GROWTH;
    if (wanted > this.#placeBytes) this.#make(wanted);
  }

  /** Whether the record fitted and is on disk. */
  append(text: string, bases: readonly string[]): boolean {
    if (!this.#write({ sequence: this.#sequence + 1, bases, text })) return false;
    this.sync();
    return true;
  }

  /** From here on the file counts alone; not synced. */
  retire(): void {
    this.#write({ sequence: this.#sequence + 1, bases: [], text: null });
  }

  sync(): void {
    fdatasyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }

  #make(placeBytes: number): void {
    this.#placeBytes = placeBytes;
    ftruncateSync(this.#file, 0);
    // Real zeros, not a hole: a later write finds its blocks in place.
    writeSync(this.#file, Buffer.alloc(placeBytes * PLACES), 0, placeBytes * PLACES, 0);
    fsyncSync(this.#file);
  }

  #write(record: JournalRecord): boolean {
    const json = Buffer.from(JSON.stringify(record));
    const size = HEAD_BYTES + json.length;
    if (size > this.#placeBytes) return false;
    const bytes = Buffer.alloc(size);
    bytes.writeUInt32BE(json.length, DIGEST_BYTES);
    json.copy(bytes, HEAD_BYTES);
    createHash('sha256').update(bytes.subarray(DIGEST_BYTES)).digest().copy(bytes);
    writeSync(this.#file, bytes, 0, size, (record.sequence % PLACES) * this.#placeBytes);
    this.#sequence = record.sequence;
    return true;
  }

  #read(place: number): JournalRecord | undefined {
    const bytes = Buffer.alloc(this.#placeBytes);
    readSync(this.#file, bytes, 0, bytes.length, place * this.#placeBytes);
    const end = HEAD_BYTES + bytes.readUInt32BE(DIGEST_BYTES);
    if (end > bytes.length) return undefined;
    const rest = bytes.subarray(DIGEST_BYTES, end);
    const digest = createHash('sha256').update(rest).digest();
    if (!digest.equals(bytes.subarray(0, DIGEST_BYTES))) return undefined;
    return JSON.parse(bytes.toString('utf8', HEAD_BYTES, end)) as JournalRecord;
  }
}
