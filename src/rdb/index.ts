/**
 * RDB: the file format of snapshots and full synchronisation, and the payloads of DUMP. Version 10, as Redis 7.0
 * writes it. Reads from and writes to buffers; knows no file, no socket and no keyspace.
 */
export { RdbCursor, StringSlot } from './cursor.ts';
export { type DecodedDump, decodeDump, encodeDump } from './dump.ts';
export { RDB_VERSION } from './format.ts';
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
  isListpackEnd,
  isListpackSound,
  listpackBackBytes,
  listpackBodyBytes,
  listpackCount,
  listpackInt,
  listpackNext,
  listpackPrevious,
  listpackSeek,
  writeListpackBack,
  writeListpackHeader,
} from './listpack.ts';
export { LzfCompressor, lzfDecompress } from './lzf.ts';
export { type RdbHandler, RdbReader, type RdbReaderState } from './reader.ts';
export type { Bytes, RdbEntry, RdbFailure, RdbString, RdbValue } from './value.ts';
export { type ValueDecoder, type ValueDecoders, createDecoders } from './value-decoder.ts';
export { type RdbEntryFacts, type RdbHeader, RdbWriter, type RdbWriterOptions } from './writer.ts';
