/** Hands a file to the browser, which asks the user or keeps it where downloads go. */
export function download(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  // The browser has begun to read it by then, and needs the address no more.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
