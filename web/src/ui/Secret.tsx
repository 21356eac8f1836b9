import { t } from '../i18n/index.ts';
import { Copy } from './Bits.tsx';

/** A secret that is shown this once. */
export function Secret({ text, what }: { text: string; what: string }) {
  return (
    <div role="status" className="border-b border-border bg-code p-4 text-13">
      <p className="font-medium">{what}</p>
      <div className="mt-2 flex items-center gap-2">
        <code className="min-w-0 grow font-mono text-12 break-all">{text}</code>
        <Copy text={text} label={t('Copy it')}>
          {t('Copy')}
        </Copy>
      </div>
    </div>
  );
}
