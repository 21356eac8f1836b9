import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { IssueDetails } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { ownUrl } from '../../lib/base.ts';
import { Copy } from '../../ui/Bits.tsx';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Toggle } from '../../ui/Form.tsx';
import { toast } from '../../ui/toasts.ts';
import { issueQuery, shareIssue } from '../issues/queries.ts';

/** The public link of an issue: made, copied, renewed and withdrawn. */
export function ShareDialog({
  org,
  issue,
  open,
  onOpenChange,
}: {
  org: string;
  issue: IssueDetails;
  open: boolean;
  onOpenChange: (open: boolean) => void;
}) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const link = issue.shareId ? ownUrl(`share/issue/${issue.shareId}/`) : null;
  const set = async (on: boolean, done: string): Promise<void> => {
    setBusy(true);
    try {
      const { isPublic, shareId } = await shareIssue(org, issue.id, on);
      for (const id of [issue.id, issue.shortId]) {
        client.setQueryData(issueQuery(org, id).queryKey, (old) => old && { ...old, isPublic, shareId });
      }
      void client.invalidateQueries({ queryKey: ['issue', org] });
      toast(done);
    } catch (error) {
      toast(t('Nothing was changed: {why}', { why: (error as Error).message }));
    }
    setBusy(false);
  };
  return (
    <Dialog open={open} onOpenChange={onOpenChange} title={t('Share {id}', { id: issue.shortId })}>
      <div className="flex flex-col gap-4">
        <Toggle
          label={t('Public link')}
          help={t('Everybody who has it sees the issue, without a login.')}
          checked={link !== null}
          disabled={busy}
          onChange={(on) =>
            void set(on, on ? t('The link is made') : t('The link leads nowhere from now on'))
          }
        />
        {link && (
          <>
            <div className="flex items-start gap-2 rounded-md border border-border bg-code p-2">
              <a
                href={link}
                className="min-w-0 grow font-mono text-12 leading-5 break-all text-accent underline"
              >
                {link}
              </a>
              <Copy size="xs" text={link} label={t('Copy the public link')} />
            </div>
            <div className="flex flex-wrap gap-2">
              <Button
                disabled={busy}
                onClick={() => void set(true, t('The old link leads nowhere from now on'))}
              >
                {t('Make a new link')}
              </Button>
              <Button
                disabled={busy}
                className="text-error"
                onClick={() => void set(false, t('The link leads nowhere from now on'))}
              >
                {t('Withdraw the link')}
              </Button>
            </div>
          </>
        )}
        <p className="text-12 text-text2">
          {t(
            'Shown: title, project, and the newest event’s message, exceptions and code. Not shown: users, tags, requests, breadcrumbs, variables, comments.',
          )}
        </p>
      </div>
    </Dialog>
  );
}
