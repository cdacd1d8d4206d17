/**
 * RDB: the file format of snapshots and full synchronisation, and the payloads of DUMP. Version 10, as Redis 7.0
 * writes it; later ones are read. Reads from and writes to buffers; knows no file, no socket and no keyspace.
 */
export { RdbCursor, StringSlot } from './cursor.ts';
export { createDecoders } from './decoders.ts';
export { createForeignDecoders } from './foreign-decoders.ts';
export {
  decodeDump,
  decodeLibraries,
  DUMP_FOOTER_BYTES,
  type DumpFlaw,
  dumpFrameFlaw,
  encodeDump,
  lendDump,
  encodeLibraries,
  type LibraryPayload,
  sealDump,
} from './dump.ts';
export {
  NODE_PACKED,
  NODE_PLAIN,
  TYPE_HASH,
  TYPE_HASH_LISTPACK,
  TYPE_LIST_QUICKLIST_2,
  TYPE_MODULE_2,
  TYPE_SET,
  TYPE_SET_INTSET,
  TYPE_STREAM_LISTPACKS_2,
  TYPE_STRING,
  TYPE_ZSET_2,
  TYPE_ZSET_LISTPACK,
} from './format.ts';
export {
  INTSET_HEADER_BYTES,
  intsetCount,
  intsetFind,
  intsetGet,
  intsetPut,
  intsetWidth,
  intsetWidthFor,
  isIntsetSound,
  writeIntsetHeader,
} from './intset.ts';
export {
  EMPTY_LISTPACK_BYTES,
  LISTPACK_END,
  LISTPACK_HEADER_BYTES,
  ListpackElement,
  ListpackReader,
  NOWHERE,
  isListpackEnd,
  isListpackSound,
  listpackBackBytes,
  listpackBodyBytes,
  listpackCount,
  listpackFindPair,
  listpackInt,
  listpackNext,
  listpackPairs,
  listpackPrevious,
  listpackSeek,
  writeListpackBack,
  writeListpackHeader,
} from './listpack.ts';
export { LzfCompressor, lzfDecompress } from './lzf.ts';
export { NO_SINK } from './no-sink.ts';
export {
  OLDEST_PAYLOAD_VERSION,
  VERSION_OF_REDIS_4,
  VERSION_OF_REDIS_5,
  VERSION_OF_REDIS_7_4,
  VERSION_OF_VALKEY_9,
  payloadVersionOf,
} from './payload-versions.ts';
export { type PlainForm, PlainForms, type PlainLimits } from './plain-form.ts';
export { type RawValue, createRawDecoders } from './raw-decoder.ts';
export { type RdbHandler, RdbReader, type RdbReaderState } from './reader.ts';
export { parseScore } from './scores.ts';
export {
  type Bytes,
  type ContainerKind,
  type RdbEntry,
  type RdbFailure,
  STREAM_COUNT_DERIVED,
  STREAM_COUNT_UNKNOWN,
  type StreamFacts,
  type StreamId,
  type StreamSink,
  type ValueSink,
} from './value.ts';
export { foreignTypeName, typeFamily } from './type-names.ts';
export type { ReadOutcome, ValueDecoder, ValueDecoders } from './value-decoder.ts';
export { type RdbEntryFacts, type RdbHeader, RdbWriter, type RdbWriterOptions } from './writer.ts';
export { RDB_VERSION, isRdbStart, isReadableVersion } from './versions.ts';
