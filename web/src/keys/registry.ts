import { useEffect, useRef } from 'react';
import { createStoredStore } from '../lib/store.ts';

export type Scope = 'Everywhere' | 'Issue stream' | 'Issue';

/** One table drives the handlers and the sheet. `mod` is Ctrl, or Command on a Mac; two keys with a space are typed in turn. */
export const KEYS = [
  { id: 'help', keys: ['?'], scope: 'Everywhere', label: 'Show this list' },
  { id: 'palette', keys: ['mod+k'], scope: 'Everywhere', label: 'Go to a page, project or issue' },
  { id: 'search', keys: ['/'], scope: 'Everywhere', label: 'Search' },
  { id: 'goIssues', keys: ['g i'], scope: 'Everywhere', label: 'Issues' },
  { id: 'goReleases', keys: ['g r'], scope: 'Everywhere', label: 'Releases' },
  { id: 'goStats', keys: ['g t'], scope: 'Everywhere', label: 'Stats' },
  { id: 'goProjects', keys: ['g p'], scope: 'Everywhere', label: 'Projects' },
  { id: 'goSettings', keys: ['g s'], scope: 'Everywhere', label: 'Settings' },
  { id: 'theme', keys: ['t'], scope: 'Everywhere', label: 'Light or dark' },
  { id: 'undo', keys: ['z'], scope: 'Everywhere', label: 'Undo the last change' },
  { id: 'rail', keys: ['['], scope: 'Everywhere', label: 'Fold the navigation' },
  { id: 'next', keys: ['j', 'ArrowDown'], scope: 'Issue stream', label: 'Next issue' },
  { id: 'previous', keys: ['k', 'ArrowUp'], scope: 'Issue stream', label: 'Previous issue' },
  { id: 'open', keys: ['Enter', 'o'], scope: 'Issue stream', label: 'Open' },
  { id: 'select', keys: ['x'], scope: 'Issue stream', label: 'Select' },
  { id: 'selectRange', keys: ['shift+x'], scope: 'Issue stream', label: 'Select up to here' },
  { id: 'selectAll', keys: ['mod+a'], scope: 'Issue stream', label: 'Select all shown' },
  { id: 'loadNew', keys: ['.'], scope: 'Issue stream', label: 'Show what is new' },
  { id: 'clear', keys: ['Escape'], scope: 'Issue stream', label: 'Clear the selection' },
  { id: 'streamResolve', keys: ['r'], scope: 'Issue stream', label: 'Resolve' },
  { id: 'streamReviewed', keys: ['shift+r'], scope: 'Issue stream', label: 'Mark as reviewed' },
  { id: 'streamArchive', keys: ['i'], scope: 'Issue stream', label: 'Archive…' },
  { id: 'streamAssign', keys: ['a'], scope: 'Issue stream', label: 'Assign…' },
  { id: 'streamPriority', keys: ['p'], scope: 'Issue stream', label: 'Priority…' },
  { id: 'streamBookmark', keys: ['b'], scope: 'Issue stream', label: 'Bookmark' },
  { id: 'saveView', keys: ['v'], scope: 'Issue stream', label: 'Save as a view…' },
  { id: 'resolve', keys: ['r'], scope: 'Issue', label: 'Resolve' },
  { id: 'archive', keys: ['i'], scope: 'Issue', label: 'Archive…' },
  { id: 'assign', keys: ['a'], scope: 'Issue', label: 'Assign…' },
  { id: 'priority', keys: ['p'], scope: 'Issue', label: 'Priority…' },
  { id: 'bookmark', keys: ['b'], scope: 'Issue', label: 'Bookmark' },
  { id: 'reviewed', keys: ['shift+r'], scope: 'Issue', label: 'Mark as reviewed' },
  { id: 'subscribe', keys: ['s'], scope: 'Issue', label: 'Subscribe' },
  { id: 'share', keys: ['u'], scope: 'Issue', label: 'Share…' },
  { id: 'previousEvent', keys: ['h'], scope: 'Issue', label: 'Previous event' },
  { id: 'nextEvent', keys: ['l'], scope: 'Issue', label: 'Next event' },
  { id: 'oldestEvent', keys: ['shift+h'], scope: 'Issue', label: 'Oldest event' },
  { id: 'newestEvent', keys: ['shift+l'], scope: 'Issue', label: 'Newest event' },
  { id: 'recommendedEvent', keys: [';'], scope: 'Issue', label: 'Recommended event' },
  { id: 'nextSection', keys: ['j'], scope: 'Issue', label: 'Next section' },
  { id: 'previousSection', keys: ['k'], scope: 'Issue', label: 'Previous section' },
  { id: 'allFrames', keys: ['f'], scope: 'Issue', label: 'All frames, or those of the application' },
  { id: 'rawTrace', keys: ['w'], scope: 'Issue', label: 'Stack trace as text' },
  { id: 'sentFrames', keys: ['m'], scope: 'Issue', label: 'Frames as they were sent, or mapped' },
  { id: 'processAgain', keys: ['shift+m'], scope: 'Issue', label: 'Process again…' },
  { id: 'copyMarkdown', keys: ['c'], scope: 'Issue', label: 'Copy as Markdown' },
  { id: 'back', keys: ['Escape'], scope: 'Issue', label: 'Back to the stream' },
] as const satisfies readonly { id: string; keys: readonly string[]; scope: Scope; label: string }[];

export type KeyId = (typeof KEYS)[number]['id'];
type Handlers = Partial<Record<KeyId, (event: KeyboardEvent) => void>>;

/** Letter shortcuts can be switched off, for people whose tools send letters. */
export const lettersOn = createStoredStore('letterKeys', true);

const mounted: { current: Handlers }[] = [];
let lead = '';
let leadAt = 0;

/** The name of a pressed key as the table writes it. */
export function keyName(event: KeyboardEvent): string {
  const mod = event.metaKey || event.ctrlKey;
  const letter = event.key.length === 1 && /[a-z]/i.test(event.key);
  const name = letter ? event.key.toLowerCase() : event.key;
  return `${mod ? 'mod+' : ''}${letter && event.shiftKey ? 'shift+' : ''}${name}`;
}

function handlerOf(name: string): ((event: KeyboardEvent) => void) | undefined {
  for (let i = mounted.length - 1; i >= 0; i -= 1) {
    for (const entry of KEYS) {
      const handler = mounted[i].current[entry.id];
      if (handler && (entry.keys as readonly string[]).includes(name)) return handler;
    }
  }
  return undefined;
}

function typing(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  if (!element?.closest) return false;
  return (
    element.isContentEditable ||
    element.closest('input:not([type=checkbox]), textarea, select, [role=listbox]') !== null
  );
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.altKey || event.isComposing) return;
  if (document.querySelector('[role=dialog], [role=menu], [role=alertdialog]')) return;
  const name = keyName(event);
  const letter = !name.startsWith('mod+') && event.key.length === 1;
  if (typing(event.target) && name !== 'mod+k') return;
  if (letter && event.key !== ' ' && !lettersOn.get() && event.key !== '?') return;
  // A focused control keeps its own keys.
  const control = (event.target as HTMLElement | null)?.closest?.('a, button, summary, input');
  if (control && (event.key === 'Enter' || event.key === ' ')) return;
  const sequence = lead && Date.now() - leadAt < 1200 ? `${lead} ${name}` : '';
  lead = '';
  const handler = (sequence && handlerOf(sequence)) || handlerOf(name);
  if (handler) {
    event.preventDefault();
    handler(event);
  } else if (name === 'g') {
    lead = 'g';
    leadAt = Date.now();
  }
}

/** Listens for the whole page; called once. */
export function listenForKeys(): void {
  window.addEventListener('keydown', onKeyDown);
}

/** Acts on keys of the table while the component is mounted; the last one mounted is asked first. */
export function useKeys(handlers: Handlers): void {
  const held = useRef(handlers);
  useEffect(() => {
    held.current = handlers;
  });
  useEffect(() => {
    mounted.push(held);
    return () => {
      mounted.splice(mounted.indexOf(held), 1);
    };
  }, []);
}

const mac = /mac|iphone|ipad/i.test(navigator.platform);

/** How a key is shown on its cap. */
export function keyLabel(key: string): string {
  return key
    .replace('mod+', mac ? '⌘' : 'Ctrl ')
    .replace('shift+', 'Shift ')
    .replace('ArrowDown', '↓')
    .replace('ArrowUp', '↑')
    .replace('Escape', 'Esc')
    .replace(/^ $/, 'Space');
}
