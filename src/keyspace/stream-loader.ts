/** The part of the loader that builds streams. */
import { invariant } from '../base/index.ts';
import type { Bytes, StreamFacts, StreamId, StreamSink } from '../rdb/index.ts';
import type { Ref } from './arena.ts';
import type { Database } from './database.ts';
import type { BytesView } from './entry.ts';

export abstract class StreamLoader implements StreamSink {
  /** Makes the key of the stream, whose entry `add` returns. */
  protected abstract addStream(add: (db: Database, key: BytesView) => Ref): void;

  stream(): void {
    invariant(false, 'streams are loaded');
  }

  streamNode(_id: StreamId, _blob: Bytes): void {}

  streamFacts(_facts: StreamFacts): void {}

  streamGroup(): boolean {
    return false;
  }

  streamPending(): boolean {
    return false;
  }

  streamConsumer(): boolean {
    return false;
  }

  streamConsumerPending(): boolean {
    return false;
  }

  streamGroupEnd(): boolean {
    return false;
  }
}
