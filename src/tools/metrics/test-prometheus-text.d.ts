/** The parser has no types of its own. */
declare module 'parse-prometheus-text-format' {
  interface Metric {
    readonly value: string;
    readonly labels?: Readonly<Record<string, string>>;
  }
  interface Family {
    readonly name: string;
    readonly type: string;
    readonly metrics: readonly Metric[];
  }
  // oxlint-disable-next-line import/no-default-export -- The package exports it so.
  export default function parsePrometheusTextFormat(text: string): Family[];
}
