import type { ReactNode } from 'react';
import type { IssueUpdate, Member, User } from '../api/types.ts';
import { t } from '../i18n/index.ts';
import { Menu, MenuItem, MenuLabel, MenuLine } from './Menu.tsx';

interface ActionMenuProps {
  trigger: ReactNode;
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
  onPick: (update: IssueUpdate, text: string) => void;
}

const DURATIONS = [
  [30, '30 minutes'],
  [120, '2 hours'],
  [1440, '1 day'],
  [10080, '1 week'],
] as const;
const COUNTS = [10, 100, 1000] as const;

/** Archive: until it escalates, for a time, until a number of events or users, forever. */
export function ArchiveMenu({ trigger, open, onOpenChange, onPick }: ActionMenuProps) {
  const pick = (statusDetails: Record<string, unknown>, substatus: string, text: string) => () =>
    onPick({ status: 'ignored', statusDetails, substatus }, text);
  return (
    <Menu trigger={trigger} label={t('Archive')} open={open} onOpenChange={onOpenChange} align="end">
      <MenuItem
        onSelect={pick({ ignoreUntilEscalating: true }, 'archived_until_escalating', t('until it escalates'))}
      >
        {t('Until it escalates')}
      </MenuItem>
      <MenuLine />
      <MenuLabel>{t('For a time')}</MenuLabel>
      {DURATIONS.map(([minutes, words]) => (
        <MenuItem
          key={minutes}
          onSelect={pick(
            { ignoreDuration: minutes },
            'archived_until_condition_met',
            t('for {time}', { time: words }),
          )}
        >
          {t(words)}
        </MenuItem>
      ))}
      <MenuLine />
      <MenuLabel>{t('Until it happens again')}</MenuLabel>
      {COUNTS.map((count) => (
        <MenuItem
          key={count}
          onSelect={pick(
            { ignoreCount: count },
            'archived_until_condition_met',
            t('until {n} more events', { n: count }),
          )}
        >
          {t('{n} more times', { n: count })}
        </MenuItem>
      ))}
      <MenuItem
        onSelect={pick({ ignoreUserCount: 10 }, 'archived_until_condition_met', t('until 10 more users'))}
      >
        {t('To 10 more users')}
      </MenuItem>
      <MenuLine />
      <MenuItem onSelect={pick({}, 'archived_forever', t('forever'))}>{t('Forever')}</MenuItem>
    </Menu>
  );
}

export function AssignMenu({
  trigger,
  open,
  onOpenChange,
  onPick,
  members,
  me,
}: ActionMenuProps & { members: Member[]; me: User | null }) {
  const people = members.filter((member) => member.user !== null && member.user.id !== me?.id);
  return (
    <Menu trigger={trigger} label={t('Assign')} open={open} onOpenChange={onOpenChange} align="end">
      {me && (
        <MenuItem onSelect={() => onPick({ assignedTo: `user:${me.id}` }, me.name || me.email)}>
          {t('Me ({name})', { name: me.name || me.email })}
        </MenuItem>
      )}
      {people.map((member) => (
        <MenuItem
          key={member.id}
          onSelect={() => onPick({ assignedTo: `user:${member.user?.id}` }, member.name || member.email)}
        >
          {member.name || member.email}
        </MenuItem>
      ))}
      <MenuLine />
      <MenuItem onSelect={() => onPick({ assignedTo: '' }, '')}>{t('Nobody')}</MenuItem>
    </Menu>
  );
}

export function PriorityMenu({ trigger, open, onOpenChange, onPick }: ActionMenuProps) {
  return (
    <Menu trigger={trigger} label={t('Priority')} open={open} onOpenChange={onOpenChange} align="end">
      {(['high', 'medium', 'low'] as const).map((priority) => (
        <MenuItem key={priority} onSelect={() => onPick({ priority }, priority)}>
          {t(priority[0].toUpperCase() + priority.slice(1))}
        </MenuItem>
      ))}
    </Menu>
  );
}
