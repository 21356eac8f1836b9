import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { t } from '../../i18n/index.ts';
import { buttonClass } from '../../ui/Button.tsx';
import { ssoQuery } from './queries.ts';

/** The way to single sign-on: at once where one organization has it, else by its name. */
export function SsoEntry({ next }: { next?: string }) {
  const { data } = useQuery(ssoQuery);
  const only = data?.organization;
  const look = `${buttonClass({ size: 'md' })} mt-3 w-full justify-center`;
  return only ? (
    <Link to="/auth/sso/$org/" params={{ org: only.slug }} search={{ next }} className={look}>
      {t('Sign in with the SSO of {name}', { name: only.name })}
    </Link>
  ) : (
    <Link to="/auth/sso/" search={{ next }} className={look}>
      {t('Sign in with SSO')}
    </Link>
  );
}
