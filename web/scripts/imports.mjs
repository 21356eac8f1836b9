// Keeps the layers apart: a feature imports ui, query, viz, keys, lib, i18n, api and the `queries` of other
// features, nothing else of them; radix-ui is only imported in src/ui; ui and lib know no feature.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const files = readdirSync('src', { recursive: true }).filter((f) => /\.tsx?$/.test(f));
const problems = [];
for (const file of files) {
  const source = readFileSync(join('src', file), 'utf8');
  const layer = file.split('/')[0];
  const feature = layer === 'features' ? file.split('/')[1] : null;
  for (const match of source.matchAll(/(?:from|import\()\s*'([^']+)'/g)) {
    const target = match[1];
    if (target === 'radix-ui' && layer !== 'ui') problems.push(`${file} imports radix-ui: only src/ui may`);
    if (!target.startsWith('.')) continue;
    const path = normalize(join(dirname(file), target));
    if (path.startsWith('..')) problems.push(`${file} imports ${target} from outside src`);
    const [other, name, part] = path.split('/');
    if (other !== 'features') continue;
    if (feature && name !== feature && !/^queries(\.ts)?$/.test(part))
      problems.push(`${file} imports ${path}`);
    if (['ui', 'lib', 'query', 'viz', 'api', 'keys', 'i18n'].includes(layer))
      problems.push(`${file} imports ${path}`);
  }
}
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(`imports: ${files.length} files, layers kept`);
