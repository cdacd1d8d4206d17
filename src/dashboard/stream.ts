/**
 * The page's stream of server-sent events. Events and runs are all sent; of snapshots only the newest, so that a slow
 * reader gets fewer of them instead of late ones.
 */
import type { Context } from 'hono';
import { type SSEStreamingApi, streamSSE } from 'hono/streaming';
import type { WatchSnapshot, Watched } from '../tools/watch/index.ts';
import type { Hello, RunState } from './messages.ts';

export interface StreamSource {
  readonly watcher: Watched;
  readonly hello: () => Hello;
  /** Tells of every change of a run; answers how to end that. */
  readonly onRun: (listener: (run: RunState) => void) => () => void;
}

interface Message {
  readonly event: 'hello' | 'event' | 'run' | 'snapshot';
  readonly data: unknown;
}

/** A reader that is this far behind is gone for good. */
const QUEUE_MAX = 5000;
/** Proxies and browsers give up a silent connection. */
const HEARTBEAT_MS = 15_000;

/** Answers with the stream, which ends with the reader or with `ending`. */
export function streamAnswer(
  context: Context,
  source: StreamSource,
  ending: AbortSignal,
): Response {
  return streamSSE(context, (stream) => pump(stream, source, ending));
}

async function pump(
  stream: SSEStreamingApi,
  { watcher, hello, onRun }: StreamSource,
  ending: AbortSignal,
): Promise<void> {
  const queue: Message[] = [{ event: 'hello', data: hello() }];
  let newest: WatchSnapshot | undefined;
  let wake = (): void => undefined;
  let isOver = ending.aborted;
  const add = (message: Message): void => {
    queue.push(message);
    if (queue.length > QUEUE_MAX) isOver = true;
    wake();
  };
  const stops = [
    watcher.listen({
      onEvent: (data) => add({ event: 'event', data }),
      onSnapshot: (snapshot) => {
        newest = snapshot;
        wake();
      },
    }),
    onRun((data) => add({ event: 'run', data })),
  ];
  const end = (): void => {
    isOver = true;
    wake();
  };
  stream.onAbort(end);
  ending.addEventListener('abort', end);
  try {
    while (!isOver) {
      const message = queue.shift();
      if (message !== undefined) await send(stream, message);
      else if (newest !== undefined) {
        const data = newest;
        newest = undefined;
        await send(stream, { event: 'snapshot', data });
      } else {
        const isWoken = await new Promise<boolean>((resolve) => {
          const timer = setTimeout(() => resolve(false), HEARTBEAT_MS);
          wake = () => {
            clearTimeout(timer);
            resolve(true);
          };
        });
        if (!isWoken) await stream.write(': still here\n\n');
      }
    }
  } finally {
    ending.removeEventListener('abort', end);
    for (const stop of stops) stop();
  }
}

function send(stream: SSEStreamingApi, { event, data }: Message): Promise<void> {
  return stream.writeSSE({ event, data: JSON.stringify(data) });
}
