import { useQuery } from '@tanstack/react-query';
import type { ComparedPart, ComparedVariant, Comparison } from '../../api/types.ts';
import { plural, t } from '../../i18n/index.ts';
import { Badge } from '../../ui/Bits.tsx';
import { cx } from '../../ui/cx.ts';
import { Dialog } from '../../ui/Dialog.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { compareQuery } from './queries.ts';

const shown = (value: unknown): string => (value === null || value === undefined ? '–' : String(value));

/** What tells two issues apart: first in words, then every part of both trees beside each other. */
export function Compare({
  org,
  issue,
  other,
  onClose,
}: {
  org: string;
  issue: string;
  other: string | null;
  onClose: () => void;
}) {
  return (
    <Dialog
      open={other !== null}
      onOpenChange={(open) => !open && onClose()}
      title={t('Why are these two issues?')}
      wide
    >
      {other !== null && <Compared org={org} issue={issue} other={other} />}
    </Dialog>
  );
}

function Compared({ org, issue, other }: { org: string; issue: string; other: string }) {
  const { data, error, refetch } = useQuery(compareQuery(org, issue, other));
  if (!data)
    return error ? (
      <ErrorState
        compact
        error={error}
        what={t('The issues could not be compared')}
        onRetry={() => void refetch()}
      />
    ) : (
      <Skeleton className="h-60" />
    );
  return (
    <div className="flex flex-col gap-4 text-13">
      <p className="font-medium first-letter:uppercase">{data.explanation}.</p>
      <Differences of={data} />
      {data.variants.map((variant) => (
        <Variant key={variant.key} of={variant} />
      ))}
    </div>
  );
}

function Differences({ of: data }: { of: Comparison }) {
  if (data.differences.length === 0) return null;
  return (
    <div>
      <table className="w-full table-fixed text-12 leading-5">
        <thead>
          <tr className="border-b border-border text-left text-text2">
            <th scope="col" className="w-1/3 py-1 pr-3 font-normal">
              {t('Where')}
            </th>
            {data.issues.map((one) => (
              <th key={one.id} scope="col" className="py-1 pr-3 font-medium text-text">
                {one.shortId}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.differences.map((one, index) => (
            <tr key={index} className="border-b border-border align-top last:border-b-0">
              <th scope="row" className="py-1 pr-3 text-left font-normal text-text2">
                {one.where}
              </th>
              <td className="isolate-text py-1 pr-3 font-mono break-words">{shown(one.left)}</td>
              <td className="isolate-text py-1 pr-3 font-mono break-words">{shown(one.right)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {data.moreDifferences > 0 && (
        <p className="text-12 text-text3">
          {t('and {what}', { what: plural(data.moreDifferences, 'more place', 'more places') })}
        </p>
      )}
    </div>
  );
}

function Variant({ of: variant }: { of: ComparedVariant }) {
  const decides = variant.left !== null || variant.right !== null;
  return (
    <section aria-label={variant.description || variant.key} className="border-t border-border pt-3">
      <h3 className="flex flex-wrap items-center gap-2 text-13 font-semibold">
        {variant.description || variant.key}
        {decides && (
          <Badge tone={variant.equal ? 'success' : 'warning'}>
            {variant.equal ? t('same') : t('differs')}
          </Badge>
        )}
        {!decides && <span className="font-normal text-text3">{t('decides in neither')}</span>}
      </h3>
      {variant.component && (
        <ul className="mt-1 text-12 leading-5">
          <Part of={variant.component} />
        </ul>
      )}
    </section>
  );
}

/** Frames in a row that are the same in both become one entry. */
function folded(parts: ComparedPart[]): (ComparedPart | ComparedPart[])[] {
  const out: (ComparedPart | ComparedPart[])[] = [];
  for (const part of parts) {
    const last = out.at(-1);
    if (part.id === 'frame' && part.status === 'same') {
      if (Array.isArray(last)) last.push(part);
      else out.push([part]);
    } else out.push(part);
  }
  return out;
}

const TONES: Record<ComparedPart['status'], string> = {
  same: 'text-text3',
  changed: '',
  left: '',
  right: '',
};
const MARKS: Record<ComparedPart['status'], string> = { same: '', changed: '≠ ', left: '− ', right: '+ ' };
const SPOKEN: Record<ComparedPart['status'], string> = {
  same: '',
  changed: 'differs',
  left: 'only in the first',
  right: 'only in the second',
};

function Part({ of: part }: { of: ComparedPart }) {
  const values = part.values ?? [];
  const leaf = part.id === undefined;
  const leaves = values.filter((value) => value.id === undefined);
  const inner = values.filter((value) => value.id !== undefined);
  if (leaf) return null;
  const quiet = part.status === 'same' || !part.contributes?.some(Boolean);
  return (
    <li className={cx('break-words', TONES[part.status], quiet && 'text-text3')}>
      {part.status !== 'same' && (
        <span className="font-mono" title={t(SPOKEN[part.status])}>
          {MARKS[part.status]}
        </span>
      )}
      <span className={quiet ? '' : 'font-medium'}>{part.name || part.id}</span>
      {part.count && part.count > 1 ? <span> × {part.count}</span> : null}
      {leaves.map((one, index) =>
        one.status === 'same' ? (
          <span key={index} className="isolate-text font-mono">
            {' '}
            {shown(one.left)}
          </span>
        ) : (
          <span key={index} className="isolate-text font-mono">
            {' '}
            {one.status !== 'right' && <del className="text-error no-underline">{shown(one.left)}</del>}
            {one.status === 'changed' && ' → '}
            {one.status !== 'left' && <ins className="text-success no-underline">{shown(one.right)}</ins>}
          </span>
        ),
      )}
      {inner.length > 0 && (
        <ul className="border-l border-border pl-4">
          {folded(inner).map((one, index) =>
            Array.isArray(one) ? (
              <li key={index} className="text-text3">
                {t('{n} × {what}, the same in both', { n: one.length, what: one[0]?.name ?? '' })}
              </li>
            ) : (
              <Part key={index} of={one} />
            ),
          )}
        </ul>
      )}
    </li>
  );
}
