/** What the codecs hand over: views of bytes and values, reused from call to call. */

/** A range of bytes; valid only until the function that was given it returns. */
export interface Bytes {
  readonly buf: Buffer;
  readonly at: number;
  readonly size: number;
}

export interface RdbString extends Bytes {
  readonly kind: 'string';
}

/** A value of a key. A union on `kind`; types join it as their decoders are built. */
export type RdbValue = RdbString;

/** A key with all that the file says of it. The object and its views are reused: copy what must last. */
export interface RdbEntry {
  readonly dbIndex: number;
  readonly key: Bytes;
  /** Unix milliseconds, or -1 when the key does not expire. */
  readonly expireAtUnixMs: number;
  /** LRU idle time in seconds, or -1 when the file does not say. */
  readonly idleSeconds: number;
  /** LFU counter in [0, 255], or -1 when the file does not say. */
  readonly freq: number;
  readonly value: RdbValue;
}

/** Why bytes were refused. `at` is the position in the whole input, in bytes. */
export type RdbFailure =
  | { readonly kind: 'corrupt'; readonly reason: string; readonly at: number }
  | { readonly kind: 'wrongSignature'; readonly reason: string; readonly at: number }
  | { readonly kind: 'unsupportedVersion'; readonly reason: string; readonly at: number }
  | {
      readonly kind: 'unsupported';
      /** Such as `list (type 18)`. */
      readonly what: string;
      /** The key whose value it is. */
      readonly key: Buffer;
      readonly at: number;
    };
