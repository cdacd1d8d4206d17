/** The admin port of a server or Sentinel. Its packages are loaded only where there is one: the engine itself has none. */
import type { AdminPlace } from '../io/index.ts';

export async function serveNodeAdmin({ bind, port, ask }: AdminPlace): Promise<void> {
  const { collectFigures, serveAdmin, whyNotReady } = await import('../tools/metrics/index.ts');
  await serveAdmin(
    { bind, port },
    { figures: () => collectFigures(ask), whyNotReady: () => whyNotReady(ask) },
  );
}
