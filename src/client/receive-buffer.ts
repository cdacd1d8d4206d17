/**
 * Where a connection's bytes arrive: the socket reads straight into it, so that nothing is made for a piece, and none is
 * copied but where a buffer ends in the middle of a batch of replies.
 */

/** A connection that never holds more keeps so much. */
const SMALL_BYTES = 64 * 1024;
/** With buffers of this size an end falls into one batch of several. */
const LARGE_BYTES = 512 * 1024;
/** So much is worth a read of its own. */
const ROOM_BYTES_MIN = 16 * 1024;

export class ReceiveBuffer {
  #bytes: Buffer = Buffer.allocUnsafeSlow(SMALL_BYTES);
  #room: Buffer = this.#bytes;
  /** Received and not handed over: `bytes[from, limit)`; the reply being read begins at `at`. */
  from = 0;
  at = 0;
  #limit = 0;
  /** Takes what there is, and then makes room. */
  onArrival: () => void = () => this.makeRoom(0);

  /** What was handed over keeps its place: it is the receiver's. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Where the next bytes go. */
  get room(): Buffer {
    return this.#room;
  }

  /** `count` bytes arrived in `room`. */
  arrived(count: number): void {
    this.#limit += count;
    this.onArrival();
  }

  /**
   * Makes room for more, at least for the reply being read if it is known to have `neededBytes`; answers by how much what
   * is held moved to the front.
   */
  makeRoom(neededBytes: number): number {
    const kept = this.#limit - this.from;
    const isTooSmall = this.#limit + ROOM_BYTES_MIN > this.#bytes.length;
    const isTooLarge = kept === 0 && this.#bytes.length > LARGE_BYTES;
    if (!isTooSmall && !isTooLarge) {
      this.#room = this.#bytes.subarray(this.#limit);
      return 0;
    }
    const moved = this.from;
    const unfinished = this.at - this.from + neededBytes;
    const size = kept === 0 ? SMALL_BYTES : Math.max(LARGE_BYTES, 2 * kept, unfinished);
    const bytes = Buffer.allocUnsafeSlow(size + ROOM_BYTES_MIN);
    this.#bytes.copy(bytes, 0, this.from, this.#limit);
    this.#bytes = bytes;
    this.from = 0;
    this.at -= moved;
    this.#limit = kept;
    this.#room = kept === 0 ? bytes : bytes.subarray(kept);
    return moved;
  }
}
