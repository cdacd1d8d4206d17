/** A key as its owner has it. */
export interface SlotKey {
  readonly name: Buffer;
  readonly payload: Buffer;
  readonly expireAtUnixMs: number;
}
