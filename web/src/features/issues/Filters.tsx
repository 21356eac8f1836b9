import { useQuery } from '@tanstack/react-query';
import { ChevronDown } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { t } from '../../i18n/index.ts';
import { parsePeriod, periodLabel } from '../../lib/time.ts';
import { Button } from '../../ui/Button.tsx';
import { Field, Input } from '../../ui/Form.tsx';
import { Menu, MenuCheck, MenuItem, MenuLine } from '../../ui/Menu.tsx';
import { Popover } from '../../ui/Popover.tsx';
import { environmentsQuery } from '../organizations/queries.ts';
import { projectsQuery } from '../projects/queries.ts';
import type { StreamSearch } from './search.ts';

const PERIODS = ['1h', '24h', '7d', '14d', '30d', '90d'] as const;

interface FiltersProps {
  org: string;
  search: StreamSearch;
  onChange: (change: Partial<StreamSearch>) => void;
}

interface ManyProps {
  all: string;
  label: string;
  options: { value: string; label: string }[];
  chosen: string[];
  onChange: (chosen: string[] | undefined) => void;
}

function Many({ all, label, options, chosen, onChange }: ManyProps) {
  const names = chosen.map((value) => options.find((option) => option.value === value)?.label ?? value);
  const text = names.length === 0 ? all : names.length === 1 ? names[0] : `${names[0]} +${names.length - 1}`;
  return (
    <Menu
      label={label}
      align="end"
      trigger={
        <Button aria-label={`${label}: ${text}`} className="max-w-44">
          <span className="truncate">{text}</span>
          <ChevronDown className="size-3.5 shrink-0" aria-hidden />
        </Button>
      }
    >
      <MenuItem onSelect={() => onChange(undefined)}>{all}</MenuItem>
      <MenuLine />
      {options.map((option) => (
        <MenuCheck
          key={option.value}
          checked={chosen.includes(option.value)}
          onChange={(on) => {
            const next = on ? [...chosen, option.value] : chosen.filter((value) => value !== option.value);
            onChange(next.length > 0 ? next : undefined);
          }}
        >
          {option.label}
        </MenuCheck>
      ))}
    </Menu>
  );
}

export function PeriodPicker({ search, onChange }: Omit<FiltersProps, 'org'>) {
  const [open, setOpen] = useState(false);
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState(false);
  const label = periodLabel(search);
  const pick = (event: FormEvent): void => {
    event.preventDefault();
    const period = parsePeriod(text);
    setWrong(!period);
    if (!period) return;
    onChange({ statsPeriod: undefined, start: undefined, end: undefined, ...period });
    setOpen(false);
  };
  return (
    <Popover
      open={open}
      onOpenChange={setOpen}
      label={t('Period')}
      trigger={
        <Button aria-label={t('Period: {label}', { label })}>
          {label}
          <ChevronDown className="size-3.5" aria-hidden />
        </Button>
      }
    >
      <div className="grid grid-cols-3 gap-1 p-1">
        {PERIODS.map((period) => (
          <Button
            key={period}
            tone={period === label ? 'solid' : 'ghost'}
            onClick={() => {
              onChange({ statsPeriod: period, start: undefined, end: undefined });
              setOpen(false);
            }}
          >
            {period}
          </Button>
        ))}
      </div>
      <form onSubmit={pick} className="p-2">
        <Field
          label={t('Another period')}
          help={t('90m, 3d or 2026-11-01..11-05 (UTC)')}
          error={wrong ? t('Write 90m, 3d or 2026-11-01..11-05') : null}
        >
          {(props) => <Input {...props} value={text} onChange={(event) => setText(event.target.value)} />}
        </Field>
      </form>
    </Popover>
  );
}

export function Filters({ org, search, onChange }: FiltersProps) {
  const { data: projects } = useQuery(projectsQuery(org));
  const { data: environments } = useQuery(environmentsQuery(org));
  return (
    <div className="flex flex-wrap gap-2">
      <Many
        all={t('All projects')}
        label={t('Projects')}
        options={(projects ?? []).map((project) => ({
          value: project.id,
          label: project.name || project.slug,
        }))}
        chosen={search.project ?? []}
        onChange={(project) => onChange({ project })}
      />
      <Many
        all={t('All envs')}
        label={t('Environments')}
        options={(environments ?? [])
          .filter((one) => one.name !== '')
          .map((one) => ({ value: one.name, label: one.name }))}
        chosen={search.environment ?? []}
        onChange={(environment) => onChange({ environment })}
      />
      <PeriodPicker search={search} onChange={onChange} />
    </div>
  );
}
