import { type FormEvent, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import type { IssueView } from '../../api/types.ts';
import { t } from '../../i18n/index.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Field, Input, Toggle } from '../../ui/Form.tsx';

export interface ViewWishes {
  name: string;
  shared: boolean;
  starred: boolean;
}

/** Asks what a view is called, who sees it, and whether it stands among the starred ones. */
export function ViewDialog({
  title,
  action,
  view,
  query,
  onOpenChange,
  onSave,
}: {
  title: string;
  action: string;
  /** The view that is changed; without it a new one is made. */
  view?: IssueView;
  query: string;
  onOpenChange: (open: boolean) => void;
  onSave: (wishes: ViewWishes) => Promise<void>;
}) {
  const [name, setName] = useState(view?.name ?? '');
  const [shared, setShared] = useState(view ? view.visibility === 'organization' : false);
  const [starred, setStarred] = useState(view?.starred ?? true);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiError | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      await onSave({ name: name.trim(), shared, starred });
      onOpenChange(false);
    } catch (failed) {
      setProblem(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
      setBusy(false);
    }
  };
  return (
    <Dialog open onOpenChange={onOpenChange} title={title}>
      <form onSubmit={submit} className="flex flex-col gap-4">
        <Field label={t('Name')} error={problem?.fields.name?.[0]}>
          {(props) => (
            <Input
              {...props}
              required
              autoFocus
              maxLength={128}
              value={name}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        <p className="isolate-text rounded-md border border-border bg-code px-3 py-2 font-mono text-12 break-words">
          {query || t('everything in this period')}
        </p>
        <Toggle
          label={t('Shared')}
          help={t('Every member of the organization sees it. Off: you alone.')}
          checked={shared}
          onChange={setShared}
        />
        <Toggle
          label={t('Starred')}
          help={t('It stands beside the tabs of your list. Others star for themselves.')}
          checked={starred}
          onChange={setStarred}
        />
        {problem && !problem.fields.name && (
          <p role="alert" className="text-13 text-error">
            {problem.detail}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={() => onOpenChange(false)}>{t('Cancel')}</Button>
          <Button type="submit" tone="solid" disabled={busy || name.trim() === ''}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
