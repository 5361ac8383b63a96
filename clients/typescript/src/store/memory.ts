import type { Storage } from './storage.ts';

/** Keeps everything until the process ends: for tests, servers, and browsers that refuse to keep things. */
export function memoryStorage(): Storage {
  const values = new Map<string, unknown>();
  return {
    async update(key, step) {
      const value = values.get(key);
      const [keep, result] = step(value);
      if (keep === undefined) values.delete(key);
      else values.set(key, keep);
      return result;
    },
  };
}
