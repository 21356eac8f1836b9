import { useSyncExternalStore } from 'react';

/** A value outside React that components may read. */
export interface Store<T> {
  get(): T;
  set(value: T): void;
  subscribe(listener: () => void): () => void;
}

export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set(next) {
      value = next;
      for (const listener of listeners) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** A store whose value outlives the page, under one name of the local storage. */
export function createStoredStore<T>(name: string, initial: T): Store<T> {
  let first = initial;
  try {
    const kept = localStorage.getItem(name);
    if (kept !== null) first = JSON.parse(kept) as T;
  } catch {
    // Storage may be closed to us or hold what another version wrote: the initial value serves.
  }
  const store = createStore(first);
  return {
    ...store,
    set(value) {
      store.set(value);
      try {
        localStorage.setItem(name, JSON.stringify(value));
      } catch {
        // The choice then lasts as long as the page.
      }
    },
  };
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}
