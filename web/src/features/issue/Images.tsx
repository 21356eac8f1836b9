import { useState } from 'react';
import type { DebugImage, Traced } from '../../api/types.ts';
import { plural, t } from '../../i18n/index.ts';
import { entryOf } from '../../lib/stacktrace.ts';
import {
  candidateStatus,
  imageCommand,
  imageId,
  imageName,
  imageRange,
  isMissing,
  isUnused,
  type Target,
} from '../../lib/symbols.ts';
import { Badge } from '../../ui/Bits.tsx';
import { Card } from '../../ui/Card.tsx';
import { Command } from '../../ui/Command.tsx';
import { Input } from '../../ui/Form.tsx';

const FEATURES: [string, string][] = [
  ['has_symbols', 'symbols'],
  ['has_debug_info', 'debug information'],
  ['has_unwind_info', 'unwind information'],
  ['has_sources', 'sources'],
];

const STATUS: Record<string, [words: string, tone: 'success' | 'error' | 'warning' | 'plain']> = {
  found: ['found', 'success'],
  missing: ['missing', 'error'],
  malformed: ['unreadable', 'error'],
  timeout: ['took too long', 'warning'],
  fetching_failed: ['not fetched', 'warning'],
  unused: ['not needed', 'plain'],
};

const CANDIDATE: Record<string, string> = {
  ok: 'found',
  notfound: 'not there',
  malformed: 'unreadable',
  error: 'failed',
  noperm: 'not permitted',
};

const fits = (image: DebugImage, wanted: string): boolean =>
  [image.code_file, image.debug_file, image.debug_id, image.uuid, image.code_id].some((text) =>
    text?.toLowerCase().includes(wanted),
  );

/** The files that were loaded into the process, and what is there of their symbols. */
export function Images({ event, ...target }: Target & { event: Traced }) {
  const all = (entryOf<{ images: (DebugImage | null)[] | null }>(event, 'debugmeta')?.images ?? []).filter(
    (image): image is DebugImage => image !== null && image.type !== 'sourcemap',
  );
  const [text, setText] = useState('');
  const [open, setOpen] = useState(false);
  if (all.length === 0) return null;
  const wanted = text.trim().toLowerCase();
  const matching = wanted ? all.filter((image) => fits(image, wanted)) : all;
  const used = matching.filter((image) => !isUnused(image));
  const unused = matching.filter(isUnused);
  // A search looks in all of them, and so does a page where none was used.
  const unfolded = open || wanted !== '' || used.length === 0;
  const shown = unfolded ? [...used, ...unused] : used;
  const missing = all.filter(isMissing).length;
  return (
    <Card
      title={t('Images loaded')}
      actions={
        <span className="pr-1.5 text-12 text-text3">
          {plural(all.length, 'image', 'images')}
          {missing > 0 && ` · ${t('{n} without its debug file', { n: missing })}`}
        </span>
      }
    >
      {all.length > 3 && (
        <div className="border-b border-border px-3.5 py-2">
          <Input
            type="search"
            className="md:max-w-sm"
            aria-label={t('Filter the images by name or id')}
            placeholder={t('Filter by name or id')}
            value={text}
            onChange={(change) => setText(change.target.value)}
          />
        </div>
      )}
      {shown.length > 0 ? (
        <table aria-label={t('Images loaded')} className="w-full table-fixed text-12 leading-5">
          <thead className="text-left text-text3 max-md:sr-only">
            <tr className="border-b border-border">
              <th scope="col" className="px-3.5 py-1 font-normal">
                {t('Image')}
              </th>
              <th scope="col" className="w-44 px-2 py-1 font-normal">
                {t('Debug file')}
              </th>
              <th scope="col" className="w-60 px-2 py-1 font-normal">
                {t('It has')}
              </th>
            </tr>
          </thead>
          {shown.map((image, index) => (
            <Row key={`${imageId(image)}${index}`} image={image} target={target} />
          ))}
        </table>
      ) : (
        <p className="px-3.5 py-2 text-13 text-text2">{t('No image fits.')}</p>
      )}
      {!unfolded && unused.length > 0 && (
        <button
          type="button"
          onClick={() => setOpen(true)}
          className="min-h-8 w-full px-3.5 text-left text-12 text-accent hover:bg-hover"
        >
          {t('Show {images} in which no frame lies', {
            images: plural(unused.length, 'image', 'images'),
          })}
        </button>
      )}
    </Card>
  );
}

function Status({ of, what }: { of: string | null | undefined; what: string }) {
  if (!of) return null;
  const [words, tone] = STATUS[of] ?? [of, 'plain'];
  return (
    <span className="flex items-center gap-1.5">
      <Badge tone={tone}>{t(words)}</Badge>
      <span className="text-text3">{what}</span>
    </span>
  );
}

function Row({ image, target }: { image: DebugImage; target: Target }) {
  const range = imageRange(image);
  const id = imageId(image);
  const features = FEATURES.filter(([key]) => image.features?.[key]);
  const cell = 'block px-3.5 py-1 align-top md:table-cell md:px-2';
  return (
    <tbody className="border-b border-border last:border-b-0">
      <tr className="max-md:block max-md:py-1">
        <th scope="row" className="block px-3.5 py-1 text-left align-top font-normal md:table-cell">
          <span className="isolate-text block font-semibold break-all" title={image.code_file ?? undefined}>
            {imageName(image)}
          </span>
          {id && <code className="block break-all text-text2">{id}</code>}
          {range && (
            <code className="block break-all text-text3">
              {range}
              {image.arch ? ` · ${image.arch}` : ''}
            </code>
          )}
        </th>
        <td className={cell}>
          <Status of={image.debug_status ?? 'unused'} what={t('symbols')} />
          <Status of={image.unwind_status} what={t('unwinding')} />
        </td>
        <td className={cell}>
          <span className="flex flex-wrap gap-1">
            {features.map(([key, name]) => (
              <Badge key={key} tone="plain">
                {t(name)}
              </Badge>
            ))}
          </span>
        </td>
      </tr>
      {isMissing(image) && (
        <tr className="max-md:block">
          <td colSpan={3} className="px-3.5 pb-2 max-md:block">
            <Command text={imageCommand(target, image)} />
          </td>
        </tr>
      )}
      {(image.candidates?.length ?? 0) > 0 && (
        <tr className="max-md:block">
          <td colSpan={3} className="px-3.5 pb-1.5 max-md:block">
            <Candidates of={image} />
          </td>
        </tr>
      )}
    </tbody>
  );
}

/** Where the files of an image were looked for. */
function Candidates({ of }: { of: DebugImage }) {
  const list = of.candidates ?? [];
  return (
    <details>
      <summary className="inline-flex min-h-6 items-center text-accent">
        {t('Looked for in {places}', { places: plural(list.length, 'place', 'places') })}
      </summary>
      <ul>
        {list.map((one, index) => {
          const { status, details } = candidateStatus(one);
          return (
            <li key={index} className="isolate-text break-all">
              <Badge tone={status === 'ok' ? 'success' : status === 'notfound' ? 'plain' : 'warning'}>
                {t(CANDIDATE[status] ?? status)}
              </Badge>{' '}
              <span className="text-text2">{one.source_name ?? one.source}</span> <code>{one.location}</code>
              {details && <span className="text-text2"> {details}</span>}
            </li>
          );
        })}
      </ul>
    </details>
  );
}
