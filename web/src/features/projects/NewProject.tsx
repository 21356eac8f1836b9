import { useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { t } from '../../i18n/index.ts';
import { PLATFORMS } from '../../lib/platforms.ts';
import { useTitle } from '../../lib/title.ts';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Field, Input, Select } from '../../ui/Form.tsx';
import { Page } from '../../ui/Page.tsx';
import { createProject } from './queries.ts';

export function NewProject() {
  useTitle(t('New project'));
  const { org } = useParams({ strict: false }) as { org: string };
  const navigate = useNavigate();
  const client = useQueryClient();
  const [name, setName] = useState('');
  const [platform, setPlatform] = useState('python');
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setError(null);
    try {
      const project = await createProject(org, { name: name.trim(), platform });
      await client.invalidateQueries({ queryKey: ['projects', org] });
      void navigate({
        to: '/organizations/$org/projects/$slug/getting-started/',
        params: { org, slug: project.slug },
      });
    } catch (failed) {
      setError(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
      setBusy(false);
    }
  };
  return (
    <Page title={t('New project')} narrow>
      <Card title={t('What is monitored?')}>
        <form onSubmit={submit} className="flex flex-col gap-4 p-4">
          <Field
            label={t('Name')}
            error={error ? (error.fields.name?.[0] ?? error.fields.slug?.[0] ?? error.detail) : null}
          >
            {(props) => (
              <Input
                {...props}
                required
                maxLength={50}
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
          <Field
            label={t('Platform')}
            help={t('It chooses the instructions; every project takes events of all platforms.')}
          >
            {(props) => (
              <Select {...props} value={platform} onChange={(event) => setPlatform(event.target.value)}>
                {PLATFORMS.map((one) => (
                  <option key={one.id} value={one.id}>
                    {one.name}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          <div>
            <Button type="submit" tone="solid" size="md" disabled={busy || name.trim() === ''}>
              {t('Create the project')}
            </Button>
          </div>
        </form>
      </Card>
    </Page>
  );
}
