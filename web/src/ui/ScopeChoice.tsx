import { SCOPES } from '../lib/scopes.ts';
import { Toggle } from './Form.tsx';

/** What something may do: one box for each scope. */
export function ScopeChoice({
  legend,
  chosen,
  onChange,
  error,
}: {
  legend: string;
  chosen: string[];
  onChange: (chosen: string[]) => void;
  error?: string | null;
}) {
  return (
    <fieldset className="min-w-0">
      <legend className="mb-2 text-13 font-medium">{legend}</legend>
      <div className="grid gap-2 sm:grid-cols-2">
        {Object.entries(SCOPES).map(([scope, meaning]) => (
          <Toggle
            key={scope}
            label={scope}
            help={meaning}
            checked={chosen.includes(scope)}
            onChange={(on) => onChange(on ? [...chosen, scope] : chosen.filter((one) => one !== scope))}
          />
        ))}
      </div>
      {error && (
        <p role="alert" className="mt-2 text-12 text-error">
          {error}
        </p>
      )}
    </fieldset>
  );
}
