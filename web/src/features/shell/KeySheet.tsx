import { t } from '../../i18n/index.ts';
import { KEYS, keyLabel, lettersOn } from '../../keys/registry.ts';
import { useStore } from '../../lib/store.ts';
import { Dialog } from '../../ui/Dialog.tsx';
import { Toggle } from '../../ui/Form.tsx';

export function KeySheet({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const on = useStore(lettersOn);
  const scopes = [...new Set(KEYS.map((entry) => entry.scope))];
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={t('Keyboard')} wide>
      <Toggle
        label={t('Single-letter shortcuts')}
        help={t(
          'Switch them off when speech input or another tool sends letters. Arrows, Enter and Ctrl K stay.',
        )}
        checked={on}
        onChange={lettersOn.set}
      />
      <div className="mt-4 grid gap-x-8 gap-y-4 md:grid-cols-3">
        {scopes.map((scope) => (
          <section key={scope} aria-label={t(scope)}>
            <h3 className="mb-1 text-12 font-semibold text-text2">{t(scope)}</h3>
            <dl>
              {KEYS.filter((entry) => entry.scope === scope).map((entry) => (
                <div key={entry.id} className="flex items-center justify-between gap-3 py-0.5 text-13">
                  <dt>{t(entry.label)}</dt>
                  <dd className="flex shrink-0 gap-1 font-mono text-12 text-text2">
                    {entry.keys.map((key) => (
                      <kbd key={key} className="rounded-sm border border-border bg-code px-1">
                        {keyLabel(key)}
                      </kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
