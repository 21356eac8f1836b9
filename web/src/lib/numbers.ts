const full = new Intl.NumberFormat('en');

/** All digits, grouped. */
export const formatFull = (value: number): string => full.format(value);

/** Below 10,000 in full, then 12.3K, 1.7M. */
export function formatCount(value: number): string {
  if (value < 10_000) return full.format(value);
  for (const [size, unit] of [
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'K'],
  ] as const) {
    if (value >= size * 0.9995) {
      const scaled = value / size;
      return `${scaled >= 999.95 ? full.format(Math.round(scaled)) : scaled.toFixed(1).replace(/\.0$/, '')}${unit}`;
    }
  }
  return full.format(value);
}

/** Bytes in units that people read. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(1)} MB`;
  return `${(bytes / 1e9).toFixed(1)} GB`;
}

/** A share as a whole percentage; what exists never reads as 0 %. */
export function formatShare(part: number, whole: number): string {
  if (whole <= 0) return '0%';
  const share = (part / whole) * 100;
  if (share > 0 && share < 1) return '<1%';
  if (share < 100 && share > 99) return '99%';
  return `${Math.round(share)}%`;
}
