import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { CircleCheck, Radio } from 'lucide-react';
import { useEffect, useState } from 'react';
import { t } from '../../i18n/index.ts';
import { curlCommand, dsnParts, PLATFORMS, platformOf } from '../../lib/platforms.ts';
import { useTitle } from '../../lib/title.ts';
import { Copy } from '../../ui/Bits.tsx';
import { buttonClass } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Field, Select } from '../../ui/Form.tsx';
import { Page } from '../../ui/Page.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { firstIssueQuery } from '../issues/queries.ts';
import { keysQuery, projectQuery } from '../projects/queries.ts';

/** After this long without an event the page says what to look at. */
const PATIENCE_MS = 30_000;

function Code({ text, label }: { text: string; label: string }) {
  return (
    <div className="relative">
      <pre
        tabIndex={0}
        aria-label={label}
        role="region"
        className="overflow-x-auto rounded-md bg-code p-3 pr-24 font-mono text-12 leading-5"
      >
        {text}
      </pre>
      <div className="absolute top-1.5 right-1.5">
        <Copy size="xs" text={text} label={t('Copy: {label}', { label })} />
      </div>
    </div>
  );
}

export function GettingStarted() {
  const { org, slug } = useParams({ strict: false }) as { org: string; slug: string };
  const search = useSearch({ strict: false }) as { platform?: string };
  const navigate = useNavigate();
  const project = useQuery(projectQuery(org, slug));
  const keys = useQuery(keysQuery(org, slug));
  useTitle(t('Set up the SDK'), project.data?.name);
  const platform = platformOf(search.platform ?? project.data?.platform);
  const key = keys.data?.find((one) => one.isActive);
  const failed = project.error ?? keys.error;
  if (failed && !(project.data && keys.data)) {
    return (
      <ErrorState
        error={failed}
        what={t('The project could not be read')}
        onRetry={() => void Promise.all([project.refetch(), keys.refetch()])}
      />
    );
  }
  return (
    <Page title={t('Set up the SDK')} narrow>
      <div className="max-md:px-4">
        <Field label={t('Platform')}>
          {(props) => (
            <Select
              {...props}
              value={platform.id}
              onChange={(event) =>
                void navigate({
                  to: '/organizations/$org/projects/$slug/getting-started/',
                  params: { org, slug },
                  search: { platform: event.target.value },
                  replace: true,
                })
              }
            >
              {PLATFORMS.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.name}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      {!project.data || !keys.data ? (
        <Skeleton className="h-80" />
      ) : key ? (
        <>
          <Card title={t('The address that events are sent to (DSN)')}>
            <div className="p-3.5">
              <Code text={key.dsn.public} label={t('DSN')} />
            </div>
          </Card>
          <Card title={platform.name}>
            <div className="flex flex-col gap-3 p-3.5">
              {platform.install && (
                <>
                  <h3 className="text-13 font-medium">{t('Install')}</h3>
                  <Code text={platform.install} label={t('Install')} />
                </>
              )}
              <h3 className="text-13 font-medium">{t(platform.where)}</h3>
              <Code text={platform.setup(key.dsn.public)} label={t('Set up')} />
            </div>
          </Card>
          <Waiting org={org} projectId={project.data.id} dsn={key.dsn.public} />
        </>
      ) : (
        <Card title={t('No key is active')}>
          <p className="p-3.5">
            {t('Events need an active key.')}{' '}
            <Link
              to="/settings/$org/projects/$slug/"
              params={{ org, slug }}
              className="text-accent underline"
            >
              {t('Keys of the project')}
            </Link>
          </p>
        </Card>
      )}
    </Page>
  );
}

function Waiting({ org, projectId, dsn }: { org: string; projectId: string; dsn: string }) {
  const {
    data: issue,
    error,
    refetch,
  } = useQuery({
    ...firstIssueQuery(org, projectId),
    refetchInterval: (query) => (query.state.data ? false : 2000),
  });
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  if (error && issue === undefined)
    return (
      <Card title={t('First event')}>
        <ErrorState
          compact
          error={error}
          what={t('Vedette cannot be asked for the first event')}
          onRetry={() => void refetch()}
        />
      </Card>
    );
  return (
    <Card title={t('First event')}>
      <div role="status" className="flex flex-wrap items-center gap-3 p-3.5">
        {issue ? (
          <>
            <CircleCheck className="size-5 text-success" aria-hidden />
            <span className="min-w-0 grow">
              <span className="font-semibold">{t('It works.')}</span>{' '}
              <span className="isolate-text break-words">{issue.title}</span>
            </span>
            <Link
              to="/organizations/$org/issues/$issue/"
              params={{ org, issue: issue.shortId || issue.id }}
              className={buttonClass({ tone: 'solid' })}
            >
              {t('Open {id}', { id: issue.shortId })}
            </Link>
          </>
        ) : (
          <>
            <Radio className="size-5 text-text3" aria-hidden />
            <span>{t('Waiting for the first event…')}</span>
          </>
        )}
      </div>
      {!issue && late && (
        <div className="flex flex-col gap-2 border-t border-border p-3.5 text-13">
          <p className="font-medium">{t('Nothing has come yet. What to look at:')}</p>
          <ol className="list-decimal pl-5 text-text2">
            <li>
              {t('Does the machine of the application reach {origin}?', { origin: dsnParts(dsn).origin })}
            </li>
            <li>
              {t('Is the DSN in the program the one above, with no variable of the environment over it?')}
            </li>
            <li>{t('Does the program live long enough to send? Short programs flush before they end.')}</li>
            <li>
              {t(
                'Does this command make an event appear? Then the way is open, and the SDK is what to look at.',
              )}
            </li>
          </ol>
          <Code text={curlCommand(dsn)} label={t('Try with curl')} />
        </div>
      )}
    </Card>
  );
}
