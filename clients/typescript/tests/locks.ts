interface Waiting {
  mode: LockMode;
  grant: () => void;
}

/** Web Locks, shared and exclusive and first come, first served, as all tabs of a browser see them. */
export function lockManager(): LockManager {
  const names = new Map<string, { held: LockMode[]; waiting: Waiting[] }>();
  const settle = (name: string): void => {
    const lock = names.get(name);
    while (lock?.waiting[0]) {
      const { mode, grant } = lock.waiting[0];
      if (lock.held.length > 0 && (mode === 'exclusive' || lock.held[0] === 'exclusive')) return;
      lock.waiting.shift();
      lock.held.push(mode);
      grant();
    }
  };
  const request = async (name: string, ...rest: [LockOptions, () => unknown] | [() => unknown]): Promise<unknown> => {
    const [options, work] = rest.length === 2 ? rest : [{}, rest[0]];
    const { mode = 'exclusive', signal } = options;
    const lock = names.get(name) ?? { held: [], waiting: [] };
    names.set(name, lock);
    await new Promise<void>((grant, refuse) => {
      const waiting = { mode, grant };
      lock.waiting.push(waiting);
      signal?.addEventListener('abort', () => {
        if (!lock.waiting.includes(waiting)) return;
        lock.waiting.splice(lock.waiting.indexOf(waiting), 1);
        refuse(signal.reason as Error);
        settle(name);
      });
      settle(name);
    });
    try {
      return await work();
    } finally {
      lock.held.splice(lock.held.indexOf(mode), 1);
      settle(name);
    }
  };
  return { request, query: () => Promise.reject(new Error('not used')) } as unknown as LockManager;
}
