import { useEffect } from 'react';

/** The title of the tab. */
export function useTitle(...parts: (string | null | undefined)[]): void {
  const title = [...parts.filter(Boolean), 'Vedette'].join(' · ');
  useEffect(() => {
    document.title = title;
  }, [title]);
}
