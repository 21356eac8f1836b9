import type { ReactNode } from 'react';
import { Logo } from './Logo.tsx';

/** A page for somebody who is not inside yet: one card under the name of the product. */
export function Gate({ children, foot }: { children: ReactNode; foot?: ReactNode }) {
  return (
    <main className="flex min-h-dvh items-center justify-center p-4">
      <div className="w-full max-w-sm">
        <div className="mb-6 flex items-center justify-center gap-2.5">
          <Logo className="size-8" />
          <span className="text-20 font-semibold">Vedette</span>
        </div>
        <div className="rounded-lg border border-border bg-surface p-6">{children}</div>
        {foot && <p className="mt-4 text-center text-12 text-text2">{foot}</p>}
      </div>
    </main>
  );
}
