import { memoryStorage } from './memory.ts';
import type { Storage, Step } from './storage.ts';

const TABLE = 'values';

/**
 * Keeps everything in the browser's IndexedDB, which all tabs share. Where that is refused (some private windows) it
 * keeps it in memory: nothing is lost but the start of the next visit.
 */
export function browserStorage(name = 'fairweather'): Storage {
  const fallback = memoryStorage();
  const listeners: (() => void)[] = [];
  let opened: Promise<IDBDatabase | null> | null = null;
  const closed = (cleared: boolean): void => {
    opened = null;
    if (cleared) for (const listener of listeners) listener();
  };
  const database = (): Promise<IDBDatabase | null> => (opened ??= open(name, closed).catch(() => null));
  const update: Storage['update'] = async (key, step, strict = false) => {
    const used = database();
    const db = await used;
    if (!db) return fallback.update(key, step);
    try {
      return await transact(db, key, step, strict);
    } catch (error) {
      // Closed under the transaction, which has then changed nothing: the step decides on what is there now.
      if (used === opened) throw error;
      return update(key, step, strict);
    }
  };
  return {
    update,
    onCleared(listener) {
      listeners.push(listener);
    },
  };
}

function open(name: string, closed: (cleared: boolean) => void): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const db = request.result;
      // A newer version of the app in another tab, or somebody who deletes the database.
      db.onversionchange = ({ newVersion }) => (db.close(), closed(newVersion === null));
      // The browser itself closes it when the user clears the site's data.
      db.onclose = () => closed(true);
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
