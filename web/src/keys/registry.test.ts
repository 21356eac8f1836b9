import { describe, expect, it } from 'vitest';
import { KEYS, keyName } from './registry.ts';

describe('keys', () => {
  it('binds a key once in each place', () => {
    const seen = new Set<string>();
    for (const entry of KEYS)
      for (const key of entry.keys) {
        const places = entry.scope === 'Everywhere' ? ['Everywhere', 'Issue stream', 'Issue'] : [entry.scope];
        for (const place of places) {
          expect(seen.has(`${place} ${key}`), `${key} in ${place}`).toBe(false);
          seen.add(`${place} ${key}`);
        }
      }
  });
  it('names a pressed key as the table writes it', () => {
    expect(keyName(new KeyboardEvent('keydown', { key: 'H', shiftKey: true }))).toBe('shift+h');
    expect(keyName(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true }))).toBe('mod+k');
    expect(keyName(new KeyboardEvent('keydown', { key: '?', shiftKey: true }))).toBe('?');
  });
});
