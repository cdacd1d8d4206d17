/** For whoever wants the bytes of values and not their parts. Whether elements differ is then for others to say. */
import type { ValueSink } from './value.ts';

export const NO_SINK: ValueSink = {
  string: () => undefined,
  container: () => undefined,
  element: () => true,
  field: () => true,
  scored: () => true,
  listpack: () => undefined,
  intset: () => undefined,
  stream: () => undefined,
  streamNode: () => undefined,
  streamFacts: () => undefined,
  streamGroup: () => true,
  streamPending: () => true,
  streamConsumer: () => true,
  streamConsumerPending: () => true,
  streamGroupEnd: () => true,
};
