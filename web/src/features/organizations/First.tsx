import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Inbox } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { t } from '../../i18n/index.ts';
import { Button } from '../../ui/Button.tsx';
import { Field, Input } from '../../ui/Form.tsx';
import { EmptyState } from '../../ui/States.tsx';
import { sessionQuery, signInOptions } from '../auth/queries.ts';
import { createOrganization } from '../organization/queries.ts';
import { organizationsQuery } from './queries.ts';

/** For who is in no organization: makes one, where everybody may. */
export function First() {
  const client = useQueryClient();
  const navigate = useNavigate();
  const { data: user } = useQuery(sessionQuery);
  const { data: offered } = useQuery(signInOptions);
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<ApiError | null>(null);
  const may = offered && (!offered.singleOrganization || user?.isSuperuser);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    try {
      const made = await createOrganization(name.trim());
      await client.invalidateQueries({ queryKey: organizationsQuery.queryKey });
      void navigate({ to: '/organizations/$org/issues/', params: { org: made.slug } });
    } catch (failed) {
      setProblem(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
    }
  };
  return (
    <EmptyState icon={Inbox} title={t('No organization is yours yet')}>
      <p>{t('An owner of an organization can invite you to it.')}</p>
      {may && (
        <form onSubmit={submit} className="mx-auto mt-6 flex max-w-sm flex-col gap-3 text-left text-text">
          <Field
            label={t('Or make one of your own')}
            error={problem && (problem.fields.name?.[0] ?? problem.fields.slug?.[0] ?? problem.detail)}
          >
            {(props) => (
              <Input
                {...props}
                required
                maxLength={64}
                placeholder={t('Name of the organization')}
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
          <Button type="submit" tone="solid" size="md">
            {t('Make the organization')}
          </Button>
        </form>
      )}
    </EmptyState>
  );
}
