// Fails when the lock file has holes (an optional platform package that is named and not locked) or when a
// locked package differs from the exact version that package.json asks for.
import { readFileSync } from 'node:fs';

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')).packages;
const wanted = JSON.parse(readFileSync('package.json', 'utf8'));
const problems = [];
for (const path of Object.keys(lock)) {
  for (const dependency of Object.keys(lock[path].optionalDependencies ?? {})) {
    if (!lock[`node_modules/${dependency}`] && !lock[`${path}/node_modules/${dependency}`]) {
      problems.push(`${path} names ${dependency}, which is not locked`);
    }
  }
}
for (const [name, version] of Object.entries({ ...wanted.dependencies, ...wanted.devDependencies })) {
  if (!/^\d/.test(version)) problems.push(`${name} is not pinned to an exact version: ${version}`);
  const locked = lock[`node_modules/${name}`]?.version;
  if (locked !== version) problems.push(`${name}: package.json asks for ${version}, locked is ${locked}`);
}
for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exit(1);
console.log(`lockcheck: ${Object.keys(lock).length} packages, no holes`);
