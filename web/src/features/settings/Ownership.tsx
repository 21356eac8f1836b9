import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { t } from '../../i18n/index.ts';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Field, Select, TextArea } from '../../ui/Form.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { toast } from '../../ui/toasts.ts';
import { ownershipQuery, type Ownership as Rules, updateOwnership } from '../projects/queries.ts';

const WAYS = [
  { value: 'Auto Assign to Issue Owner', label: 'Assign new issues to their owner' },
  { value: 'Auto Assign to Suspect Commits', label: 'Assign new issues to who changed the code last' },
  { value: 'Turn off Auto-Assignment', label: 'Assign nothing' },
] as const;

/** Whose an issue is, by rules. */
export function Ownership({ org, slug }: { org: string; slug: string }) {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(ownershipQuery(org, slug));
  const [draft, setDraft] = useState<Partial<Rules>>({});
  const [problem, setProblem] = useState<ApiError | null>(null);
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    try {
      client.setQueryData(ownershipQuery(org, slug).queryKey, await updateOwnership(org, slug, draft));
      setDraft({});
      toast(t('Saved'));
    } catch (failed) {
      setProblem(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
    }
  };
  return (
    <Card title={t('Ownership')}>
      {error && !data && (
        <ErrorState
          compact
          error={error}
          what={t('The rules could not be read')}
          onRetry={() => void refetch()}
        />
      )}
      {!data && !error && <Skeleton className="m-4 h-24" />}
      {data && (
        <form onSubmit={save} className="flex flex-col gap-4 p-4">
          <Field
            label={t('Rules of ownership')}
            help={t(
              'One a line: path:src/billing/* ann@example.com, or tags.region:eu-* #backend. The last one that fits wins.',
            )}
            error={problem && (problem.fields.raw?.[0] ?? problem.detail)}
          >
            {(props) => (
              <TextArea
                {...props}
                rows={5}
                spellCheck={false}
                className="font-mono text-12"
                value={draft.raw ?? data.raw ?? ''}
                onChange={(event) => setDraft({ ...draft, raw: event.target.value })}
              />
            )}
          </Field>
          <Field label={t('New issues')}>
            {(props) => (
              <Select
                {...props}
                value={draft.autoAssignment ?? data.autoAssignment}
                onChange={(event) => setDraft({ ...draft, autoAssignment: event.target.value })}
              >
                {WAYS.map((way) => (
                  <option key={way.value} value={way.value}>
                    {t(way.label)}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <div>
            <Button type="submit" tone="solid" disabled={Object.keys(draft).length === 0}>
              {t('Save the rules')}
            </Button>
          </div>
        </form>
      )}
    </Card>
  );
}
