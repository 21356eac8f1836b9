import { X } from 'lucide-react';
import { t } from '../i18n/index.ts';
import { useStore } from '../lib/store.ts';
import { Button, IconButton } from './Button.tsx';
import { Kbd } from './Kbd.tsx';
import { dismiss, hold, release, toasts } from './toasts.ts';

export function Toaster() {
  const shown = useStore(toasts);
  return (
    <section
      aria-label={t('Messages')}
      aria-live="polite"
      className="pointer-events-none fixed inset-x-2 bottom-16 z-50 flex flex-col items-center gap-2 md:bottom-4"
    >
      {shown.map((one) => (
        // biome-ignore lint/a11y/noStaticElementInteractions: hovering only holds the clock, nothing depends on it.
        <div
          key={one.id}
          onMouseEnter={() => hold(one.id)}
          onMouseLeave={() => release(one.id)}
          onFocus={() => hold(one.id)}
          onBlur={() => release(one.id)}
          className="pointer-events-auto flex max-w-full items-center gap-2 rounded-lg border border-control bg-surface py-1 pr-1 pl-3 text-13 shadow-lg"
        >
          <span className="min-w-0">{one.text}</span>
          {one.undo && (
            <Button
              tone="ghost"
              className="text-accent"
              onClick={() => {
                dismiss(one.id);
                one.undo?.();
              }}
            >
              {t('Undo')} <Kbd>z</Kbd>
            </Button>
          )}
          <IconButton label={t('Dismiss')} onClick={() => dismiss(one.id)}>
            <X className="size-4" aria-hidden />
          </IconButton>
        </div>
      ))}
    </section>
  );
}
