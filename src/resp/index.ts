/**
 * The Redis serialization protocol, versions 2 and 3: requests parsed in place, replies written
 * into one buffer, and replies decoded for our own clients.
 */
export {
  DEFAULT_REPLY_LIMITS,
  type Decoded,
  PushReply,
  type Reply,
  ReplyError,
  type ReplyLimits,
  decodeReply,
} from './decoder.ts';
export { REPLY_MALFORMED, REPLY_UNFINISHED, ReplyScanner } from './reply-scanner.ts';
export { REPLY_BUFFER_BYTES, ReplyBufferPool, ReplyWriter } from './reply-writer.ts';
export { SHORT_BULK_LIMIT, SPARE_BYTES, ShortBulks } from './short-bulks.ts';
export {
  EMPTY,
  type InlineSplitter,
  LINE_BYTES_MAX,
  MALFORMED,
  NEED_MORE,
  PARSED,
  type ParseResult,
  RequestParser,
  type RequestParserOptions,
} from './request-parser.ts';
export { Request, encodeRequest } from './request.ts';
export { writeHead } from './write-head.ts';
