/**
 * The browser's local storage may be full, or refused in private windows. Nothing of ours is lost with it, so every
 * failure is the same as an empty storage.
 */
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Only the convenience of the next visit is gone.
  }
}

/** A stored JSON value, or null when it is missing, damaged or of another version of the app. */
export function recallJson<T extends { version: number }>(key: string, version: number): T | null {
  const text = recall(key);
  if (text === null) return null;
  try {
    const value = JSON.parse(text) as T | null;
    return value?.version === version ? value : null;
  } catch {
    return null;
  }
}
