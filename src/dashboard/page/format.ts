/** Figures for people. Pure. */

const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
const COUNT_UNITS = ['', 'k', 'M', 'G'];

/** `1.4 MiB`; an en dash for what is not known. */
export function bytes(value: number | null | undefined): string {
  return scaled(value, 1024, BYTE_UNITS);
}

/** `12.3 k`; whole numbers below a thousand. */
export function count(value: number | null | undefined): string {
  return scaled(value, 1000, COUNT_UNITS);
}

export function perSecond(value: number | null | undefined): string {
  return value === null || value === undefined ? '–' : `${count(value)}/s`;
}

export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (value === 0) return '0';
  return value < 10 ? `${value.toFixed(2)} ms` : `${Math.round(value)} ms`;
}

/** `3 d 4 h`, the two largest units. */
export function duration(seconds: number): string {
  const parts: readonly (readonly [number, string])[] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [Math.floor(seconds) % 60, 's'],
  ];
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ');
}

/** `14:03:05.120`, in the reader's time zone. */
export function clock(atUnixMs: number): string {
  const at = new Date(atUnixMs);
  const digits = (value: number, width = 2): string => String(value).padStart(width, '0');
  return `${digits(at.getHours())}:${digits(at.getMinutes())}:${digits(at.getSeconds())}.${digits(at.getMilliseconds(), 3)}`;
}

/** At most `max` characters: the middle is left out, because addresses differ at their end. */
export function shortened(text: string, max: number): string {
  if (text.length <= max) return text;
  const tail = Math.ceil((max - 1) * 0.6);
  return `${text.slice(0, max - 1 - tail)}…${text.slice(-tail)}`;
}

function scaled(value: number | null | undefined, base: number, units: readonly string[]): string {
  if (value === null || value === undefined) return '–';
  let [amount, unit] = [value, 0];
  while (amount >= base && unit < units.length - 1) {
    amount /= base;
    unit++;
  }
  const digits = unit === 0 || amount >= 100 ? 0 : 1;
  return `${amount.toFixed(digits)} ${units[unit] ?? ''}`.trim();
}
