import { type ComponentProps, type ReactNode, useId } from 'react';
import { cx } from './cx.ts';

export const inputClass =
  'h-9 w-full min-w-0 rounded-md border border-control bg-surface px-3 text-14 text-text placeholder:text-text3 disabled:opacity-60';

interface FieldProps {
  label: string;
  help?: ReactNode;
  error?: string | null;
  children: (props: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: boolean }) => ReactNode;
}

/** A label, its control, help, and what is wrong with it. */
export function Field({ label, help, error, children }: FieldProps) {
  const id = useId();
  const described = error ? `${id}-error` : help ? `${id}-help` : undefined;
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-13 font-medium">
        {label}
      </label>
      {children({ id, 'aria-describedby': described, 'aria-invalid': error ? true : undefined })}
      {help && (
        <p id={`${id}-help`} className="text-12 text-text3">
          {help}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} role="alert" className="text-12 text-error">
          {error}
        </p>
      )}
    </div>
  );
}

export function Input({ className, ...props }: ComponentProps<'input'>) {
  return <input {...props} className={cx(inputClass, className)} />;
}

export function TextArea({ className, ...props }: ComponentProps<'textarea'>) {
  return <textarea {...props} className={cx(inputClass, 'h-auto py-2 leading-5', className)} />;
}

export function Select({ className, ...props }: ComponentProps<'select'>) {
  return <select {...props} className={cx(inputClass, className)} />;
}

export function Toggle({
  label,
  help,
  checked,
  onChange,
  disabled,
}: {
  label: string;
  help?: string;
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
}) {
  const id = useId();
  return (
    <div className="flex items-start gap-3">
      <input
        id={id}
        type="checkbox"
        checked={checked}
        disabled={disabled}
        aria-describedby={help ? `${id}-help` : undefined}
        onChange={(event) => onChange(event.target.checked)}
        className="mt-0.5 size-4.5 shrink-0"
      />
      <div>
        <label htmlFor={id} className="text-13 font-medium">
          {label}
        </label>
        {help && (
          <p id={`${id}-help`} className="text-12 text-text3">
            {help}
          </p>
        )}
      </div>
    </div>
  );
}
