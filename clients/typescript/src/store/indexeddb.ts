import { memoryStorage } from './memory.ts';
import type { Storage, Step } from './storage.ts';

const TABLE = 'values';

/**
 * Keeps everything in the browser's IndexedDB, which all tabs share. Where that is refused (some private windows) it
 * keeps it in memory: nothing is lost but the start of the next visit.
 */
export function browserStorage(name = 'fairweather'): Storage {
  const fallback = memoryStorage();
  let opened: Promise<IDBDatabase | null> | null = null;
  const database = (): Promise<IDBDatabase | null> => (opened ??= open(name, () => (opened = null)).catch(() => null));
  return {
    async update(key, step, strict = false) {
      const db = await database();
      return db ? transact(db, key, step, strict) : fallback.update(key, step);
    },
  };
}

function open(name: string, closed: () => void): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const db = request.result;
      // A newer version of the app in another tab, or the user who clears the site's data.
      db.onversionchange = () => (db.close(), closed());
      db.onclose = closed;
      resolve(db);
    };
  });
}

function transact<T>(db: IDBDatabase, key: string, step: (value: unknown) => Step<T>, strict: boolean): Promise<T> {
  return new Promise((resolve, reject) => {
    // Waiting for the disk takes seconds on a busy device, which an edit must not.
    const transaction = db.transaction(TABLE, 'readwrite', { durability: strict ? 'strict' : 'relaxed' });
    const table = transaction.objectStore(TABLE);
    const request = table.get(key);
    let decided: { result: T } | null = null;
    let thrown: unknown;
    request.onsuccess = () => {
      try {
        const [keep, result] = step(request.result);
        decided = { result };
        if (keep === undefined) table.delete(key);
        else if (keep !== request.result) table.put(keep, key);
      } catch (error) {
        thrown = error;
        transaction.abort();
      }
    };
    transaction.oncomplete = () => (decided ? resolve(decided.result) : reject(transaction.error));
    transaction.onabort = () => reject(thrown ?? transaction.error);
  });
}
