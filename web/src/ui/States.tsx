import { Link } from '@tanstack/react-router';
import { CircleAlert, type LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';
import { ApiError } from '../api/client.ts';
import { t } from '../i18n/index.ts';
import { ownUrl } from '../lib/base.ts';
import { Button, buttonClass } from './Button.tsx';
import { cx } from './cx.ts';

export function EmptyState({
  icon: Icon,
  title,
  children,
  action,
}: {
  icon?: LucideIcon;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="flex flex-col items-center gap-2 px-4 py-14 text-center">
      {Icon && <Icon className="size-8 text-text3" strokeWidth={1.5} aria-hidden />}
      <h2 className="text-16 font-semibold">{title}</h2>
      {children && <div className="max-w-prose text-text2">{children}</div>}
      {action && <div className="mt-2 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}

/** What failed, with the request's id, and a way to try again. */
export function ErrorState({
  error,
  what,
  onRetry,
  compact,
}: {
  error: unknown;
  what: string;
  onRetry?: () => void;
  compact?: boolean;
}) {
  const known = error instanceof ApiError ? error : null;
  return (
    <div
      role="alert"
      className={cx('flex flex-col items-center gap-2 px-4 text-center', compact ? 'py-4' : 'py-14')}
    >
      <CircleAlert className="size-6 text-error" aria-hidden />
      <p className="font-semibold">{what}</p>
      <p className="max-w-prose break-words text-text2">
        {known?.detail ?? (error instanceof Error ? error.message : String(error))}
      </p>
      {known?.loginUrl && (
        <a href={ownUrl(known.loginUrl.replace(/^\//, ''))} className={buttonClass({ tone: 'solid' })}>
          {t('Sign in through the organization')}
        </a>
      )}
      {known && known.status === 403 && !known.loginUrl && (
        <p className="text-text2">{t('An owner or manager of the organization can give access.')}</p>
      )}
      {known?.requestId && (
        <p className="font-mono text-12 text-text3">{t('Request {id}', { id: known.requestId })}</p>
      )}
      {known && (known.code === '2fa-required' || known.code === 'email-verification-required') && (
        <Link
          to={known.code === '2fa-required' ? '/settings/account/security/' : '/settings/account/'}
          className={buttonClass({ tone: 'solid' })}
        >
          {known.code === '2fa-required' ? t('Set up a second factor') : t('Your address')}
        </Link>
      )}
      {onRetry && <Button onClick={onRetry}>{t('Try again')}</Button>}
    </div>
  );
}

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cx('skeleton', className)} />;
}
