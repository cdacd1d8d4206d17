/** Memory that nobody uses now, for whoever needs some of about its size next. */

/** Pieces of memory, of at most so many bytes together. */
export class Spares<T extends { readonly byteLength: number }> {
  readonly #bytesMax: number;
  readonly #kept: T[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get isEmpty(): boolean {
    return this.#kept.length === 0;
  }

  /** Keeps a piece, for which those go that nobody has wanted for longest. */
  keep(piece: T): void {
    const room = this.#bytesMax - piece.byteLength;
    if (room < 0) return;
    let dropped = 0;
    while (this.#bytes > room) this.#bytes -= this.#kept[dropped++]!.byteLength;
    this.#kept.splice(0, dropped);
    this.#kept.push(piece);
    this.#bytes += piece.byteLength;
  }

  /** The smallest piece of at least `bytes` and at most `most` that was kept. */
  take(bytes: number, most: number = bytes): T | undefined {
    let found = -1;
    for (let i = 0; i < this.#kept.length; i++) {
      const { byteLength } = this.#kept[i]!;
      if (byteLength < bytes || byteLength > most) continue;
      if (found < 0 || byteLength < this.#kept[found]!.byteLength) found = i;
      if (byteLength === bytes) break;
    }
    const piece = this.#kept[found];
    if (piece === undefined) return undefined;
    this.#kept.splice(found, 1);
    this.#bytes -= piece.byteLength;
    return piece;
  }

  /** Lets all of them go. */
  clear(): void {
    this.#kept.length = 0;
    this.#bytes = 0;
  }
}
