import { t } from '../../i18n/index.ts';
import { AccountPage } from './AccountPage.tsx';
import { Factors } from './Factors.tsx';
import { Sessions } from './Sessions.tsx';

/** How somebody signs in besides the password, and where they are signed in. */
export function Security() {
  return (
    <AccountPage title={t('Security')}>
      <Factors />
      <Sessions />
    </AccountPage>
  );
}
