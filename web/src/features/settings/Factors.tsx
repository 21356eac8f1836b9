import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../../api/client.ts';
import { t } from '../../i18n/index.ts';
import { Badge, Copy } from '../../ui/Bits.tsx';
import { Button } from '../../ui/Button.tsx';
import { Card } from '../../ui/Card.tsx';
import { Confirm, Dialog } from '../../ui/Dialog.tsx';
import { Field, Input } from '../../ui/Form.tsx';
import { ErrorState, Skeleton } from '../../ui/States.tsx';
import { Time } from '../../ui/Time.tsx';
import { toast } from '../../ui/toasts.ts';
import {
  type AppSecret,
  addPasskey,
  beginApp,
  type Factor,
  factorsQuery,
  finishApp,
  passkeysHere,
  removeApp,
  removePasskey,
  renewCodes,
  sessionQuery,
  sessionsQuery,
  signInOptions,
} from '../auth/queries.ts';

/** What is set up besides the password, and setting it up. */
export function Factors() {
  const client = useQueryClient();
  const { data, error, refetch } = useQuery(factorsQuery);
  const { data: offered } = useQuery(signInOptions);
  const [app, setApp] = useState<AppSecret | null>(null);
  const [naming, setNaming] = useState(false);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [leaving, setLeaving] = useState<{ what: string; go: () => Promise<void> } | null>(null);
  const again = async (): Promise<void> => {
    for (const query of [factorsQuery, sessionQuery, sessionsQuery])
      await client.invalidateQueries({ queryKey: query.queryKey });
  };
  const work = async (what: () => Promise<Factor | undefined>): Promise<void> => {
    try {
      const made = await what();
      if (made?.codes) setCodes(made.codes);
    } catch (failed) {
      toast(t('Nothing was changed: {why}', { why: (failed as Error).message }));
    }
    await again();
  };
  const of = (id: Factor['id']) => data?.find((factor) => factor.id === id);
  const totp = of('totp');
  const keys = of('u2f');
  const recovery = of('recovery');
  const host = offered?.serverHostname ?? '';
  const elsewhere = t('open this page under {host}', { host });
  const off = keys?.unavailable ?? (offered && !passkeysHere(offered) ? elsewhere : null);
  return (
    <Card title={t('Second factors')}>
      {error && !data && (
        <ErrorState
          compact
          error={error}
          what={t('The second factors could not be read')}
          onRetry={() => void refetch()}
        />
      )}
      {!data && !error && <Skeleton className="m-4 h-24" />}
      {codes && <Codes codes={codes} onDone={() => setCodes(null)} />}
      {totp && keys && recovery && (
        <ul>
          <Row
            factor={totp}
            name={t('Authenticator app')}
            text={t('Shows a code that changes every 30 seconds.')}
          >
            <Button
              size="xs"
              onClick={() =>
                void work(async () => {
                  setApp(await beginApp());
                  return undefined;
                })
              }
            >
              {totp.isEnrolled ? t('Set up another') : t('Set up')}
            </Button>
            {totp.isEnrolled && (
              <Button
                size="xs"
                className="text-error"
                onClick={() => setLeaving({ what: t('the authenticator app'), go: removeApp })}
              >
                {t('Remove')}
              </Button>
            )}
          </Row>
          <Row
            factor={keys}
            name={t('Passkeys')}
            text={
              off
                ? t('They cannot be used here: {why}.', { why: off })
                : t('Sign you in without a password, by your device, a password manager or a security key.')
            }
          >
            {!off && (
              <Button size="xs" onClick={() => setNaming(true)}>
                {t('Add a passkey')}
              </Button>
            )}
          </Row>
          {keys.devices.map((device) => (
            <li
              key={device.id}
              className="flex flex-wrap items-center gap-2 border-b border-border py-2 pr-4 pl-8 last:border-b-0"
            >
              <div className="min-w-0 grow">
                <p className="break-words">{device.name}</p>
                <p className="text-12 text-text2">
                  {t('made')} <Time at={device.dateCreated} form="long" />
                  {device.lastUsed && (
                    <>
                      , {t('last used')} <Time at={device.lastUsed} form="long" />
                    </>
                  )}
                </p>
              </div>
              <Button
                size="xs"
                className="text-error"
                onClick={() => setLeaving({ what: device.name, go: () => removePasskey(device.id) })}
              >
                {t('Remove')}
              </Button>
            </li>
          ))}
          <Row
            factor={recovery}
            name={t('Recovery codes')}
            text={
              recovery.isEnrolled
                ? t('{n} are left. Each lets you in once if the other factors are lost.', {
                    n: recovery.codesLeft ?? 0,
                  })
                : t('Come with the first of the factors above.')
            }
          >
            {(totp.isEnrolled || keys.isEnrolled) && (
              <Button size="xs" onClick={() => void work(renewCodes)}>
                {t('Make new ones')}
              </Button>
            )}
          </Row>
        </ul>
      )}
      <Dialog open={app !== null} onOpenChange={() => setApp(null)} title={t('Set up an authenticator app')}>
        {app && (
          <SetUp
            app={app}
            onDone={(made) => {
              setApp(null);
              void work(async () => made);
            }}
          />
        )}
      </Dialog>
      <Dialog open={naming} onOpenChange={setNaming} title={t('Add a passkey')}>
        {naming && (
          <Name
            onDone={(made) => {
              setNaming(false);
              void work(async () => made);
            }}
          />
        )}
      </Dialog>
      <Confirm
        open={leaving !== null}
        onOpenChange={() => setLeaving(null)}
        title={t('Remove {what}?', { what: leaving?.what ?? '' })}
        text={t('It lets nobody in any more. Without any factor the password alone does.')}
        action={t('Remove')}
        onConfirm={() =>
          void work(async () => {
            await leaving?.go();
            return undefined;
          })
        }
      />
    </Card>
  );
}

function Row({
  factor,
  name,
  text,
  children,
}: {
  factor: Factor;
  name: string;
  text: string;
  children: React.ReactNode;
}) {
  return (
    <li className="flex flex-wrap items-center gap-2 border-b border-border px-4 py-2.5 last:border-b-0">
      <div className="min-w-0 grow basis-56">
        <p className="flex flex-wrap items-center gap-2 font-medium">
          {name} {factor.isEnrolled && <Badge tone="success">{t('on')}</Badge>}
        </p>
        <p className="text-12 text-text2">
          {text}
          {factor.lastUsedAt && factor.id === 'totp' && (
            <>
              {' '}
              {t('Last used')} <Time at={factor.lastUsedAt} form="long" />.
            </>
          )}
        </p>
      </div>
      {children}
    </li>
  );
}

function SetUp({ app, onDone }: { app: AppSecret; onDone: (made: Factor) => void }) {
  const [code, setCode] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    try {
      onDone(await finishApp(app.ticket, code));
    } catch (failed) {
      const known = failed instanceof ApiError ? failed : null;
      setProblem(known?.fields.otp?.[0] ?? (failed as Error).message);
    }
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <p className="text-text2">{t('Scan this with the app, or type the key into it.')}</p>
      <Picture rows={app.qrcode} />
      <div className="flex items-center gap-2">
        <code className="min-w-0 grow rounded-md bg-code px-2 py-1 text-13 break-all">{app.secret}</code>
        <Copy text={app.secret} label={t('Copy the key')} />
      </div>
      <Field label={t('Code that the app shows')} error={problem}>
        {(props) => (
          <Input
            {...props}
            inputMode="numeric"
            autoComplete="one-time-code"
            pattern="[0-9 ]{6,7}"
            required
            value={code}
            onChange={(event) => setCode(event.target.value)}
          />
        )}
      </Field>
      <div>
        <Button type="submit" tone="solid" size="md">
          {t('Set up')}
        </Button>
      </div>
    </form>
  );
}

/** A QR code: dark on light in every theme, as cameras want it. */
function Picture({ rows }: { rows: number[][] }) {
  const size = rows.length + 8;
  const path = rows
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + 4} ${y + 4}h1v1h-1z` : '')))
    .join('');
  return (
    <svg
      role="img"
      aria-label={t('QR code of the key')}
      viewBox={`0 0 ${size} ${size}`}
      className="size-48 self-center rounded-md"
      shapeRendering="crispEdges"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}

function Name({ onDone }: { onDone: (made: Factor) => void }) {
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setProblem(null);
    try {
      onDone(await addPasskey(name.trim()));
    } catch (failed) {
      const known = failed instanceof ApiError ? failed : null;
      setProblem(Object.values(known?.fields ?? {})[0]?.[0] ?? (failed as Error).message);
    }
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <Field label={t('What to call it')} help={t('Such as the device that holds it.')} error={problem}>
        {(props) => (
          <Input {...props} maxLength={64} value={name} onChange={(event) => setName(event.target.value)} />
        )}
      </Field>
      <div>
        <Button type="submit" tone="solid" size="md">
          {t('Go on in the browser')}
        </Button>
      </div>
    </form>
  );
}

function Codes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  return (
    <div role="status" className="flex flex-col gap-3 border-b border-border bg-selected p-4">
      <p className="font-medium">{t('Keep these recovery codes where you find them without this device.')}</p>
      <p className="text-text2">{t('They are shown once. Each lets you in once.')}</p>
      <ul className="grid grid-cols-2 gap-x-6 gap-y-1 font-mono text-13 max-md:grid-cols-1">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <div className="flex gap-2">
        <Copy text={codes.join('\n')} label={t('Copy the codes')} />
        <Button size="xs" onClick={onDone}>
          {t('I have them')}
        </Button>
      </div>
    </div>
  );
}
