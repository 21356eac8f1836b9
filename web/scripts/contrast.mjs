// Computes the contrast of every text and graphic token over every background of both themes.
// Text needs 4.5:1, graphics and control edges 3:1.
import { readFileSync } from 'node:fs';

const css = readFileSync('src/tokens.css', 'utf8');
const channel = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const luminance = (hex) => {
  const [r, g, b] = [1, 3, 5].map((i) => channel(Number.parseInt(hex.slice(i, i + 2), 16) / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ratio = (a, b) => {
  const [hi, lo] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (hi + 0.05) / (lo + 0.05);
};
const text = ['text', 'text2', 'text3', 'accent', 'fatal', 'error', 'warning', 'info', 'debug', 'success'];
const graphics = ['control', 'spark'];
const backgrounds = ['canvas', 'surface', 'hover', 'selected', 'code'];
let lowest = Number.POSITIVE_INFINITY;
let failed = false;
for (const theme of ['light', 'dark']) {
  const block = css.match(new RegExp(`\\[data-theme="${theme}"\\]\\s*\\{([^}]*)\\}`))?.[1];
  if (!block) throw new Error(`theme ${theme} not found in tokens.css`);
  const tokens = Object.fromEntries(
    [...block.matchAll(/--c-([\w-]+):\s*(#[0-9a-f]{6})/g)].map((m) => [m[1], m[2]]),
  );
  const need = (fg, bg, min) => {
    if (!tokens[fg] || !tokens[bg]) throw new Error(`token ${fg} or ${bg} missing in ${theme}`);
    const value = ratio(tokens[fg], tokens[bg]);
    if (min === 4.5) lowest = Math.min(lowest, value);
    if (value < min) {
      failed = true;
      console.error(`${theme}: ${fg} on ${bg} is ${value.toFixed(2)}, needs ${min}`);
    }
  };
  for (const bg of backgrounds) {
    for (const fg of text) need(fg, bg, 4.5);
    for (const fg of graphics) need(fg, bg, 3);
  }
  need('on-solid', 'solid', 4.5);
  need('on-solid', 'danger', 4.5);
}
if (failed) process.exit(1);
console.log(`contrast: lowest text contrast ${lowest.toFixed(2)}:1`);
