import { useState } from 'react';
import type { PreviewedIssue, Project, RulesPreview } from '../../api/types.ts';
import { plural, t } from '../../i18n/index.ts';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Field, TextArea } from '../../ui/Form.tsx';
import { ErrorState } from '../../ui/States.tsx';
import { previewRules } from '../grouping/queries.ts';

const RULES = [
  ['groupingEnhancements', 'Stack trace rules', 'For example stack.module:vendor.* -app'],
  ['fingerprintingRules', 'Fingerprint rules', 'For example error.type:DatabaseUnavailable -> system-down'],
] as const;

/** The rules of grouping, and what they would make of recent events before they are saved. */
export function Rules({
  org,
  slug,
  shown,
  set,
}: {
  org: string;
  slug: string;
  shown: Project;
  set: (change: Partial<Project>) => void;
}) {
  const [tried, setTried] = useState<{ result?: RulesPreview; error?: unknown; of: string } | null>(null);
  const [busy, setBusy] = useState(false);
  const rules = {
    groupingEnhancements: shown.groupingEnhancements ?? '',
    fingerprintingRules: shown.fingerprintingRules ?? '',
  };
  const now = JSON.stringify(rules);
  const attempt = async (): Promise<void> => {
    setBusy(true);
    try {
      setTried({ result: await previewRules(org, slug, rules), of: now });
    } catch (error) {
      setTried({ error, of: now });
    }
    setBusy(false);
  };
  return (
    <Card title={t('Grouping')}>
      <div className="flex flex-col gap-4 p-4">
        {RULES.map(([key, label, help]) => (
          <Field key={key} label={t(label)} help={t(help)}>
            {(props) => (
              <TextArea
                {...props}
                className="font-mono text-12"
                rows={4}
                spellCheck={false}
                value={shown[key] ?? ''}
                onChange={(event) => set({ [key]: event.target.value })}
              />
            )}
          </Field>
        ))}
        <div>
          <Button disabled={busy} onClick={() => void attempt()}>
            {t('Try on recent events')}
          </Button>
        </div>
        <div role="status" className={tried && tried.of !== now ? 'stale' : undefined}>
          {tried?.error !== undefined && (
            <ErrorState compact error={tried.error} what={t('The rules could not be tried')} />
          )}
          {tried?.result && <Outcome of={tried.result} />}
        </div>
      </div>
    </Card>
  );
}

function Names({ of: issues }: { of: PreviewedIssue[] }) {
  return (
    <ul className="list-disc pl-5 text-12 text-text2">
      {issues.map((one) => (
        <li key={one.id} className="isolate-text break-words">
          {one.shortId} {one.title}
        </li>
      ))}
    </ul>
  );
}

function Outcome({ of: result }: { of: RulesPreview }) {
  const looked = t('The newest event of each of {hashes} was grouped again', {
    hashes: plural(result.events, 'hash', 'hashes'),
  });
  if (result.changedEvents === 0)
    return (
      <p className="text-13">
        {looked}: {t('nothing would change.')}
      </p>
    );
  return (
    <div className="flex flex-col gap-2 text-13">
      <p>
        {looked}: {t('{n} would be grouped in another way.', { n: result.changedEvents })}
      </p>
      {result.merges.map((one, index) => (
        <div key={index}>
          <p className="font-medium">{t('These {n} issues would become 1:', { n: one.issues.length })}</p>
          <Names of={one.issues} />
        </div>
      ))}
      {result.splits.map((one) => (
        <div key={one.issue.id}>
          <p className="font-medium">{t('This issue would become {n}:', { n: one.into })}</p>
          <Names of={[one.issue]} />
        </div>
      ))}
      {result.renewed.length > 0 && (
        <div>
          <p className="font-medium">{t('New events of these would begin a new issue:')}</p>
          <Names of={result.renewed} />
        </div>
      )}
    </div>
  );
}
