/**
 * How values are read. A type joins by its decoder in a table; a decoder takes its value element by element over any
 * number of chunks and hands each on, so that nothing is kept twice.
 */
import type { RdbCursor } from './cursor.ts';
import type { ValueSink } from './value.ts';

/** What came of reading on: more bytes are needed or `cursor.problem` is set; the value is complete; it is empty. */
export type ReadOutcome = 'more' | 'done' | 'empty';

/** Reads one type of value. Kept and reused for all values of that type. */
export interface ValueDecoder {
  /** Forgets what was read: a new value of `type` begins. */
  begin(type: number): void;
  /**
   * Reads on and tells `sink`. Bytes before `cursor.at` count as consumed when it returns, so it moves back what it
   * could not use. `empty` is a container without elements, which old versions of Redis could write; the sink was
   * told nothing of it.
   */
  read(cursor: RdbCursor, sink: ValueSink): ReadOutcome;
}

/** By type number. */
export type ValueDecoders = ReadonlyMap<number, ValueDecoder>;
