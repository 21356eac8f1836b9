import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useEffect, useRef, useState } from 'react';
import { ApiError, confirmation } from '../../api/client.ts';
import { t } from '../../i18n/index.ts';
import { Button } from '../../ui/Button.tsx';
import { Dialog } from '../../ui/Dialog.tsx';
import { Field, Input } from '../../ui/Form.tsx';
import { confirmIdentity, passkeysHere, sessionQuery, signInOptions, usePasskey } from '../auth/queries.ts';

/** Asks once more who it is when the server wants to know before a dangerous act. */
export function Confirmation() {
  const { data: user } = useQuery(sessionQuery);
  const [open, setOpen] = useState(false);
  const waiting = useRef<((shown: boolean) => void)[]>([]);
  const answer = (shown: boolean): void => {
    setOpen(false);
    for (const one of waiting.current.splice(0)) one(shown);
  };
  useEffect(() => {
    confirmation.ask = () => {
      setOpen(true);
      return new Promise((resolve) => waiting.current.push(resolve));
    };
    return () => {
      confirmation.ask = null;
    };
  }, []);
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => {
        if (!next) answer(false);
      }}
      title={t('Is it you?')}
      description={t('This is hard to take back, and you signed in a while ago.')}
    >
      {open && user && <Proof email={user.email} onShown={() => answer(true)} />}
    </Dialog>
  );
}

function Proof({ email, onShown }: { email: string; onShown: () => void }) {
  const { data: user } = useQuery(sessionQuery);
  const { data: offered } = useQuery(signInOptions);
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const byPassword = user?.hasPasswordAuth !== false;
  const show = async (proof: () => Promise<Record<string, unknown>>): Promise<void> => {
    setProblem(null);
    try {
      await confirmIdentity(await proof());
      onShown();
    } catch (failed) {
      const known = failed instanceof ApiError ? failed : null;
      setProblem(Object.values(known?.fields ?? {})[0]?.[0] ?? (failed as Error).message);
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    void show(async () => (byPassword ? { password: text } : { code: text }));
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <input type="hidden" name="username" autoComplete="username" value={email} readOnly />
      {(byPassword || user?.has2fa) && (
        <Field label={byPassword ? t('Password') : t('Code')} error={problem}>
          {(props) => (
            <Input
              {...props}
              type={byPassword ? 'password' : 'text'}
              autoComplete={byPassword ? 'current-password' : 'one-time-code'}
              required
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          )}
        </Field>
      )}
      {!byPassword && !user?.has2fa && (
        <p className="text-text2">{t('Sign out and in again, then repeat what you were doing.')}</p>
      )}
      <div className="flex flex-wrap gap-2">
        {(byPassword || user?.has2fa) && (
          <Button type="submit" tone="solid" size="md">
            {t('Go on')}
          </Button>
        )}
        {user?.has2fa && passkeysHere(offered) && (
          <Button size="md" onClick={() => void show(usePasskey)}>
            {t('Use a passkey')}
          </Button>
        )}
      </div>
    </form>
  );
}
