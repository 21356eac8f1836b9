import { notifyManager, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import './app.css';
import { mayPass, pause } from './api/retry.ts';
import { listenForKeys } from './keys/registry.ts';
import { createAppRouter } from './router.tsx';

// What a click changes is shown before the browser paints, not a timer later: a checkbox does not jump back.
notifyManager.setScheduler(queueMicrotask);

const client = new QueryClient({
  defaultOptions: {
    queries: {
      retry: (failures, error) => failures < 2 && mayPass(error),
      retryDelay: (failures, error) => pause(failures, error),
    },
  },
});
const root = document.getElementById('root');
if (root) {
  listenForKeys();
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <RouterProvider router={createAppRouter(client)} />
      </QueryClientProvider>
    </StrictMode>,
  );
}
