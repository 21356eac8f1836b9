// Every text of the interface passes through here, so that a second language is a table and not a search.

type Values = Record<string, string | number>;

/** The text in the reader's language, with `{name}` replaced by values. */
export function t(text: string, values?: Values): string {
  if (!values) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

/** "1 issue", "12 issues": the number in full, with the word that fits it. */
export function plural(count: number, one: string, other: string, more = false): string {
  return `${new Intl.NumberFormat().format(count)}${more ? '+' : ''} ${count === 1 ? one : other}`;
}
