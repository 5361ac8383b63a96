import { open, mkdir, readFile, rename, rm } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';

import type { Storage } from './storage.ts';

/**
 * Keeps each value in a file of a folder that only this user may read. A value is written beside, synced and renamed,
 * so that a crash leaves the old one or the new one. One process at a time may use the folder.
 */
export function fileStorage(folder: string): Storage {
  const queues = new Map<string, Promise<unknown>>();
  return {
    update(key, step) {
      const path = join(folder, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`);
      const run = async () => {
        const value = await readValue(path);
        const [keep, result] = step(value);
        if (keep === undefined) await rm(path, { force: true });
        else if (keep !== value) await replace(folder, path, keep);
        return result;
      };
      // Each waits for the one before, whatever became of it.
      const turn = (queues.get(key) ?? Promise.resolve()).then(run, run);
      queues.set(key, turn);
      return turn;
    },
  };
}

async function readValue(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (error) {
    // Absent, or damaged by something else than us: both are the same as nothing.
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function replace(folder: string, path: string, value: unknown): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const beside = `${path}.new`;
  const file = await open(beside, 'w', 0o600);
  try {
    await file.writeFile(JSON.stringify(value));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}
