import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Ellipsis, UserPlus, Users as UsersIcon } from 'lucide-react';
import { type FormEvent, useDeferredValue, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { t } from '../../i18n/index.ts';
import { Avatar, Badge, Copy } from '../../ui/Bits.tsx';
import { Box } from '../../ui/Box.tsx';
import { Button, IconButton } from '../../ui/Button.tsx';
import { Confirm, Dialog } from '../../ui/Dialog.tsx';
import { Field, Input, Toggle } from '../../ui/Form.tsx';
import { Menu, MenuItem, MenuLine } from '../../ui/Menu.tsx';
import { PagedList } from '../../ui/PagedList.tsx';
import { EmptyState } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { toast } from '../../ui/toasts.ts';
import { sessionQuery } from '../auth/queries.ts';
import {
  type AccountOfServer,
  createUser,
  deleteUser,
  endSessions,
  passwordLink,
  removeFactors,
  updateUser,
  usersPages,
} from './queries.ts';
import { ServerPage } from './ServerPage.tsx';

interface Handed {
  email: string;
  url: string;
}

/** Every account of the installation. */
export function Users() {
  const client = useQueryClient();
  const { data: me } = useQuery(sessionQuery);
  const [query, setQuery] = useState('');
  const wanted = useDeferredValue(query.trim());
  const [adding, setAdding] = useState(false);
  const [link, setLink] = useState<Handed | null>(null);
  const [leaving, setLeaving] = useState<AccountOfServer | null>(null);
  const work = async (what: () => Promise<unknown>, done: string): Promise<void> => {
    try {
      await what();
      toast(done);
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    await client.invalidateQueries({ queryKey: ['server-users'] });
  };
  const change = (user: AccountOfServer, what: Parameters<typeof updateUser>[1], done: string): void =>
    void work(() => updateUser(user.id, what), done);
  return (
    <ServerPage
      title={t('Accounts')}
      actions={
        <Button tone="solid" onClick={() => setAdding(true)}>
          <UserPlus className="size-3.5" aria-hidden /> {t('New account')}
        </Button>
      }
    >
      {link && <PasswordLink {...link} />}
      <div className="max-md:px-4 md:max-w-sm">
        <Input
          type="search"
          aria-label={t('Find by name or address')}
          placeholder={t('Find by name or address')}
          value={query}
          onChange={(event) => setQuery(event.target.value)}
        />
      </div>
      <Box>
        <PagedList
          query={usersPages(wanted)}
          label={t('Accounts')}
          failed={t('The accounts could not be read')}
          keyOf={(user) => user.id}
          empty={<EmptyState icon={UsersIcon} title={t('No account fits')} />}
        >
          {(user) => (
            <>
              <span aria-hidden>
                <Avatar name={user.name || user.email} />
              </span>
              <span className="min-w-0 grow basis-48">
                <span className="block truncate font-medium">
                  {user.name || user.email} {user.id === me?.id && t('(you)')}
                </span>
                <span className="block truncate text-12 text-text2">
                  {user.email}
                  {user.organizations.map((one) => ` · ${one.slug} (${one.role})`).join('')}
                </span>
              </span>
              <span className="text-12 text-text2">
                {user.lastLogin ? <Time at={user.lastLogin} form="long" /> : t('never signed in')}
              </span>
              {user.isSuperuser && <Badge>{t('administrator')}</Badge>}
              {user.has2fa && <Badge tone="success">{t('two factors')}</Badge>}
              {user.emails?.[0]?.is_verified === false && <Badge tone="warning">{t('not confirmed')}</Badge>}
              {!user.isActive && <Badge tone="error">{t('disabled')}</Badge>}
              <Menu
                label={t('Actions for {name}', { name: user.email })}
                trigger={
                  <IconButton label={t('Actions for {name}', { name: user.email })}>
                    <Ellipsis className="size-4" aria-hidden />
                  </IconButton>
                }
              >
                <MenuItem
                  onSelect={() =>
                    void work(async () => {
                      const made = await passwordLink(user.id);
                      setLink({ email: user.email, url: made.passwordLink });
                    }, t('The link is made.'))
                  }
                >
                  {t('Link to a new password')}
                </MenuItem>
                <MenuItem
                  onSelect={() => void work(() => endSessions(user.id), t('They are signed out everywhere.'))}
                >
                  {t('Sign out everywhere')}
                </MenuItem>
                {user.has2fa && (
                  <MenuItem
                    onSelect={() =>
                      void work(() => removeFactors(user.id), t('The second factors are removed.'))
                    }
                  >
                    {t('Remove the second factors')}
                  </MenuItem>
                )}
                {user.emails?.[0]?.is_verified === false && (
                  <MenuItem
                    onSelect={() => change(user, { isVerified: true }, t('The address is confirmed.'))}
                  >
                    {t('Confirm the address')}
                  </MenuItem>
                )}
                <MenuItem
                  onSelect={() =>
                    change(
                      user,
                      { isSuperuser: !user.isSuperuser },
                      user.isSuperuser ? t('They administer no more.') : t('They administer the server now.'),
                    )
                  }
                >
                  {user.isSuperuser ? t('No longer an administrator') : t('Make an administrator')}
                </MenuItem>
                <MenuLine />
                <MenuItem
                  onSelect={() =>
                    change(
                      user,
                      { isActive: !user.isActive },
                      user.isActive ? t('The account is disabled.') : t('The account is enabled.'),
                    )
                  }
                >
                  {user.isActive ? t('Disable') : t('Enable')}
                </MenuItem>
                <MenuItem onSelect={() => setLeaving(user)}>{t('Remove…')}</MenuItem>
              </Menu>
            </>
          )}
        </PagedList>
      </Box>
      <Dialog open={adding} onOpenChange={setAdding} title={t('New account')}>
        {adding && (
          <New
            onMade={(made) => {
              setAdding(false);
              setLink({ email: made.email, url: made.passwordLink ?? '' });
              void client.invalidateQueries({ queryKey: ['server-users'] });
            }}
          />
        )}
      </Dialog>
      <Confirm
        open={leaving !== null}
        onOpenChange={() => setLeaving(null)}
        title={t('Remove {what}?', { what: leaving?.email ?? '' })}
        text={t(
          'Name, address, memberships and tokens are forgotten. What they wrote stays, without a name.',
        )}
        action={t('Remove')}
        onConfirm={() => {
          const user = leaving;
          if (user) void work(() => deleteUser(user.id), t('The account is removed.'));
        }}
      />
    </ServerPage>
  );
}

function PasswordLink({ email, url }: Handed) {
  return (
    <div role="status" className="flex flex-col gap-2 rounded-lg border border-border bg-selected p-4">
      <p>
        {t('Give this link to {email}: it leads to a password, works for three days and once.', { email })}
      </p>
      <div className="flex items-center gap-2">
        <code className="min-w-0 grow rounded-md bg-code px-2 py-1 text-12 break-all">{url}</code>
        <Copy text={url} label={t('Copy the link')} />
      </div>
    </div>
  );
}

function New({ onMade }: { onMade: (made: AccountOfServer) => void }) {
  const [account, setAccount] = useState({ email: '', name: '', isSuperuser: false });
  const [problem, setProblem] = useState<ApiError | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    try {
      onMade(await createUser(account));
    } catch (failed) {
      setProblem(failed instanceof ApiError ? failed : new ApiError(0, String(failed)));
    }
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Field label={t('Email')} error={problem && (problem.fields.email?.[0] ?? problem.detail)}>
        {(props) => (
          <Input
            {...props}
            type="email"
            required
            value={account.email}
            onChange={(event) => setAccount({ ...account, email: event.target.value })}
          />
        )}
      </Field>
      <Field label={t('Name')}>
        {(props) => (
          <Input
            {...props}
            maxLength={200}
            value={account.name}
            onChange={(event) => setAccount({ ...account, name: event.target.value })}
          />
        )}
      </Field>
      <Toggle
        label={t('Administers the server')}
        checked={account.isSuperuser}
        onChange={(isSuperuser) => setAccount({ ...account, isSuperuser })}
      />
      <div>
        <Button type="submit" tone="solid" size="md">
          {t('Make the account')}
        </Button>
      </div>
    </form>
  );
}
