// Builds a small program with a bundler and Sentry's plugin, which uploads; then runs it and prints the event of its
// crash as an SDK would send it: node build.mjs vite|webpack|node <folder with src/> <server> <token>
// With `node` it is src/service.ts for Node, which has an SDK of its own: that is only built.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import vm from 'node:vm';

const [, , bundler, folder, url, authToken] = process.argv;
const options = { org: 'acme', project: 'shop', url, authToken, telemetry: false, release: { name: `${bundler}@1`, setCommits: false } };
const out = path.join(folder, 'dist');

if (bundler === 'vite') {
  const { build } = await import('vite');
  const { sentryVitePlugin } = await import('@sentry/vite-plugin');
  await build({
    root: folder,
    logLevel: 'warn',
    configFile: false,
    plugins: [sentryVitePlugin(options)],
    build: {
      outDir: out,
      sourcemap: 'hidden',
      minify: 'esbuild',
      lib: { entry: 'src/main.ts', formats: ['iife'], name: 'shop', fileName: () => 'app.js' },
    },
  });
} else {
  const { default: webpack } = await import('webpack');
  const { sentryWebpackPlugin } = await import('@sentry/webpack-plugin');
  // Programs without types are what all of webpack's versions read; newer ones take the files with types.
  for (const name of ['cart', 'main']) {
    const { transformWithEsbuild } = await import('vite');
    const file = path.join(folder, 'src', `${name}.ts`);
    const { code } = await transformWithEsbuild(readFileSync(file, 'utf8'), file);
    writeFileSync(path.join(folder, 'src', `${name}.js`), code);
  }
  await new Promise((done, fail) =>
    webpack(
      {
        mode: 'production',
        context: folder,
        entry: bundler === 'node' ? './src/service.ts' : './src/main.js',
        ...(bundler === 'node' && { target: 'node', externals: { '@sentry/node': 'commonjs @sentry/node' } }),
        devtool: 'source-map',
        output: { path: out, filename: 'app.js' },
        plugins: [sentryWebpackPlugin(options)],
      },
      (e, stats) => (e || stats.hasErrors() ? fail(e ?? new Error(stats.toString())) : done()),
    ),
  );
}

if (bundler === 'node') process.exit();

const file = readdirSync(out).find((name) => name.endsWith('.js'));
const address = `https://shop.example/${file}`;
const context = vm.createContext({});
let stack = '';
try {
  vm.runInContext(readFileSync(path.join(out, file), 'utf8'), context, { filename: address });
} catch (e) {
  stack = e.stack;
}
const frames = stack
  .split('\n')
  .map((line) => /at (?:new )?(?:(.*?) \()?(\S+?):(\d+):(\d+)\)?$/.exec(line.trim()))
  .filter((m) => m && m[2] === address)
  .map((m) => ({ function: m[1] ?? '?', abs_path: m[2], lineno: Number(m[3]), colno: Number(m[4]) }))
  .reverse();
const ids = Object.values(vm.runInContext('globalThis._sentryDebugIds ?? {}', context));
const images = ids.map((debug_id) => ({ type: 'sourcemap', code_file: address, debug_id }));
console.log(
  JSON.stringify({
    platform: 'javascript',
    exception: { values: [{ type: 'TypeError', stacktrace: { frames } }] },
    debug_meta: { images },
  }),
);
