/** One answer to one scrape: figures are put on it, and it is written in Prometheus' text format. */
import { Counter, Gauge, Registry } from 'prom-client';

export type Labels = Readonly<Record<string, string>>;

export interface Figure {
  readonly kind: 'gauge' | 'counter';
  /** Whole, with its prefix. */
  readonly name: string;
  readonly help: string;
  readonly labels: Labels;
  readonly value: number;
}

/** The format's own content type. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Figures of one name have the same labels. */
export async function writeSheet(figures: readonly Figure[]): Promise<string> {
  const registry = new Registry();
  const metrics = new Map<string, Counter | Gauge>();
  for (const { kind, name, help, labels, value } of figures) {
    let metric = metrics.get(name);
    if (metric === undefined) {
      const options = { name, help, labelNames: Object.keys(labels), registers: [registry] };
      metric = kind === 'counter' ? new Counter(options) : new Gauge(options);
      metrics.set(name, metric);
    }
    metric.inc({ ...labels }, value);
  }
  return registry.metrics();
}
