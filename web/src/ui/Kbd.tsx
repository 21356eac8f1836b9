import { keyLabel } from '../keys/registry.ts';

/** The cap of a key beside a button: shown where there is a keyboard, not read out. */
export function Kbd({ children }: { children: string }) {
  return (
    <kbd
      aria-hidden
      className="hidden rounded-sm border border-current px-1 font-mono text-11 leading-4 pointer-fine:lg:inline"
    >
      {keyLabel(children)}
    </kbd>
  );
}
