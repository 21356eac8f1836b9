// Sums the compressed bytes of the build and fails when one passes its limit. Times never gate.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const KB = 1024;
const limits = { initial: 190 * KB, fonts: 50 * KB, route: 45 * KB, own: 40 * KB };
const manifest = JSON.parse(readFileSync('dist/.vite/manifest.json', 'utf8'));
const size = (file) => gzipSync(readFileSync(join('dist', file)), { level: 9 }).length;
const entry = Object.values(manifest).find((chunk) => chunk.isEntry);

function closure(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) closure(next, seen);
  return seen;
}
const files = (keys) => {
  const all = new Set();
  for (const key of keys) {
    all.add(manifest[key].file);
    for (const css of manifest[key].css ?? []) all.add(css);
  }
  return all;
};
const entryKey = Object.keys(manifest).find((key) => manifest[key] === entry);
const initialFiles = files(closure(entryKey));
const sum = (set) => [...set].reduce((total, file) => total + size(file), 0);
const initial = sum(initialFiles) + gzipSync(readFileSync('dist/index.html')).length;
const inter = Object.values(manifest).find((chunk) =>
  /inter-latin-wght-normal/.test(chunk.src ?? chunk.file ?? ''),
);
const rows = [
  ['Initial JS, CSS and HTML', initial, limits.initial],
  ['Own code of the main chunk', size(entry.file), limits.own],
];
const font =
  inter?.file ?? [...Object.values(manifest)].flatMap((c) => c.assets ?? []).find((a) => /inter/.test(a));
if (font) rows.push(['Fonts on first view', readFileSync(join('dist', font)).length, limits.fonts]);
for (const key of Object.keys(manifest)) {
  const chunk = manifest[key];
  if (!chunk.isDynamicEntry) continue;
  const own = [...files(closure(key))].filter((file) => !initialFiles.has(file));
  rows.push([`Lazy ${chunk.name ?? key}`, sum(new Set(own)), limits.route]);
}
let failed = false;
for (const [name, bytes, limit] of rows) {
  const over = bytes > limit;
  failed ||= over;
  if (over || !name.startsWith('Lazy prism')) {
    console.log(
      `${over ? 'OVER ' : '     '}${name.padEnd(34)} ${(bytes / KB).toFixed(1).padStart(7)} of ${limit / KB} KB`,
    );
  }
}
if (!rows.some(([name]) => name.startsWith('Fonts'))) {
  console.error('the text font is not in the build');
  failed = true;
}
if (failed) process.exit(1);
