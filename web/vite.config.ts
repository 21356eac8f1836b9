import tailwind from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** Answers `api/0/` from the fixtures of the browser tests, for work on pages without a server: `VEDETTE_MOCK=1 npm run dev`. */
function mock(): Plugin {
  return {
    name: 'vedette-mock',
    apply: 'serve',
    configureServer(server) {
      server.middlewares.use('/api/0', async (req, res) => {
        const { respond } = await server.ssrLoadModule('/e2e/mock/api.ts');
        const chunks: Buffer[] = [];
        for await (const chunk of req) chunks.push(chunk as Buffer);
        const url = new URL(`http://mock/api/0${req.url ?? '/'}`);
        const reply = respond(
          { method: req.method ?? 'GET', url, body: Buffer.concat(chunks).toString() },
          'full',
        );
        res.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
        res.end(reply.body);
      });
    },
  };
}

export default defineConfig({
  // Relative addresses: the server writes `<base href>`, so the same files work under any path prefix.
  base: './',
  plugins: [react(), tailwind(), ...(process.env.VEDETTE_MOCK ? [mock()] : [])],
  server: {
    proxy: process.env.VEDETTE_MOCK ? {} : { '/api': process.env.VEDETTE_URL ?? 'http://127.0.0.1:9000' },
  },
  build: {
    target: 'baseline-widely-available',
    sourcemap: 'hidden',
    manifest: true,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'react', test: /node_modules\/(react|react-dom|scheduler)\// },
            {
              name: 'vendor',
              test: /node_modules\/(@tanstack|@radix-ui|radix-ui|@floating-ui|aria-hidden|react-remove-scroll)/,
            },
          ],
        },
      },
    },
  },
});
