import type { Breadcrumb, Event, Issue } from '../api/types.ts';
import { entryOf, frameFile, tracesOf } from './stacktrace.ts';

const fence = (text: string): string => {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map((match) => match[0].length));
  const mark = '`'.repeat(longest + 1);
  return `${mark}\n${text}\n${mark}`;
};
const line = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/([\\`*_[\]<>#|])/g, '\\$1')
    .trim();

/** The issue and one event as Markdown, for a ticket or an assistant. */
export function toMarkdown(issue: Issue, event: Event, link: string): string {
  const out = [
    `# ${line(issue.title)}`,
    '',
    `- Issue: ${issue.shortId} (${link})`,
    `- Project: ${line(issue.project.slug)}`,
  ];
  out.push(
    `- Level: ${issue.level}`,
    `- Events: ${issue.count}, users: ${issue.userCount}`,
    `- First seen: ${issue.firstSeen}`,
    `- Last seen: ${issue.lastSeen}`,
  );
  if (event.release) out.push(`- Release: ${line(event.release.version)}`);
  out.push(`- Event: ${event.eventID} at ${event.dateCreated}`);
  for (const trace of tracesOf(event)) {
    out.push('', `## ${line(trace.type ?? 'Stack trace')}`);
    if (trace.value) out.push('', fence(trace.value));
    const frames = [...(trace.stacktrace?.frames ?? [])].reverse();
    const text = frames.map((frame) => {
      const code = frame.inApp ? frame.context?.find(([no]) => no === frame.lineNo)?.[1]?.trim() : null;
      return `${frame.inApp ? '* ' : '  '}${frame.function ?? '<unknown>'} (${frameFile(frame)})${code ? `\n      ${code}` : ''}`;
    });
    if (text.length > 0)
      out.push('', 'Newest call first; * is code of the application.', '', fence(text.join('\n')));
  }
  if (event.message && tracesOf(event).length === 0) out.push('', fence(event.message));
  const crumbs = entryOf<{ values: Breadcrumb[] | null }>(event, 'breadcrumbs')?.values?.slice(-20) ?? [];
  if (crumbs.length > 0) {
    const text = crumbs.map(
      (crumb) =>
        `${crumb.timestamp ?? ''} [${crumb.category ?? crumb.type ?? ''}] ${crumb.message ?? JSON.stringify(crumb.data ?? {})}`,
    );
    out.push('', '## Breadcrumbs', '', fence(text.join('\n')));
  }
  if (event.tags.length > 0)
    out.push('', '## Tags', '', ...event.tags.map((tag) => `- ${line(tag.key)}: ${line(tag.value)}`));
  return `${out.join('\n')}\n`;
}
