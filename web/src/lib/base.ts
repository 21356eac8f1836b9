/** The path under which the UI is served, with a slash at both ends ("/" or "/errors/"). */
export const basePath = new URL('.', document.baseURI).pathname;

/** An absolute address of one of our own paths; `path` has no leading slash. */
export function ownUrl(path: string): string {
  return new URL(path, new URL('.', document.baseURI)).href;
}
