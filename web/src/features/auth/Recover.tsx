import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { t } from '../../i18n/index.ts';
import { useTitle } from '../../lib/title.ts';
import { Button } from '../../ui/Button.tsx';
import { Field, Input } from '../../ui/Form.tsx';
import { Gate } from '../../ui/Gate.tsx';
import { askForPassword } from './queries.ts';

/** Asks for a link to a new password. */
export function Recover() {
  useTitle(t('Forgotten password'));
  const [email, setEmail] = useState('');
  const [told, setTold] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    try {
      setTold((await askForPassword(email.trim())).detail);
    } catch (failed) {
      setProblem((failed as Error).message);
    }
  };
  return (
    <Gate
      foot={
        <Link to="/login" search={{}} className="text-accent underline">
          {t('Back to the login')}
        </Link>
      }
    >
      <form onSubmit={submit} className="flex flex-col gap-4">
        <h1 className="text-16 font-semibold">{t('Forgotten password')}</h1>
        {told ? (
          <p role="status">{told}</p>
        ) : (
          <>
            <Field label={t('Email')} error={problem} help={t('A link to a new password is sent to it.')}>
              {(props) => (
                <Input
                  {...props}
                  type="email"
                  autoComplete="email"
                  required
                  value={email}
                  onChange={(event) => setEmail(event.target.value)}
                />
              )}
            </Field>
            <Button type="submit" tone="solid" size="md">
              {t('Send the link')}
            </Button>
          </>
        )}
      </form>
    </Gate>
  );
}
