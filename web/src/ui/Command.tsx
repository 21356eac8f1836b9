import { t } from '../i18n/index.ts';
import { Copy } from './Bits.tsx';

/** A command for a shell, to be copied. */
export function Command({ text, label }: { text: string; label?: string }) {
  return (
    <div className="flex items-start gap-2 rounded-md border border-border bg-code p-2">
      <pre className="min-w-0 grow font-mono text-12 leading-5 break-words whitespace-pre-wrap">{text}</pre>
      <Copy size="xs" text={text} label={label ?? t('Copy the command')} />
    </div>
  );
}
