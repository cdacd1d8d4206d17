/** Values of the keyspace as RDB writes them: small containers as the bytes they are, large ones element by element. */
import { invariant } from '../base/index.ts';
import {
  type RdbWriter,
  type RdbWriterOptions,
  TYPE_STRING as RDB_STRING,
  encodeDump,
} from '../rdb/index.ts';
import type { Ref } from './arena.ts';
import { TYPE_STRING } from './entry.ts';
import type { Store } from './store.ts';

/** The RDB type that an entry's value is written as. */
export function rdbTypeOf({ entries }: Store, ref: Ref): number {
  const type = entries.type(ref);
  invariant(type === TYPE_STRING, 'every type that a database holds can be written');
  return RDB_STRING;
}

/** Writes an entry's value, without its type. */
export function saveValue({ entries }: Store, ref: Ref, writer: RdbWriter): void {
  const { buf, at, size } = entries.stringView(ref);
  writer.string(buf, at, size);
}

/** The payload that DUMP answers. */
export function dumpValue(store: Store, ref: Ref, options: RdbWriterOptions): Buffer {
  return encodeDump((writer) => {
    writer.type(rdbTypeOf(store, ref));
    saveValue(store, ref, writer);
  }, options);
}
