/** The part of the saver that writes streams. */
import { invariant } from '../base/index.ts';
import type { RdbWriter } from '../rdb/index.ts';
import type { Ref } from './arena.ts';
import type { Streams } from './streams.ts';

export class StreamSaver {
  constructor(_writer: RdbWriter) {}

  begin(_streams: Streams, _stream: Ref): void {
    invariant(false, 'streams are saved');
  }

  next(_max: number): boolean {
    return false;
  }
}
