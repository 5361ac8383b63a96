import { Emitter } from './emitter.ts';
import type { Environment } from './environment.ts';

/**
 * The tabs of one browser that share a name: messages between them, and one of them that leads. A name has the account
 * in it, so tabs of different accounts never hear of each other.
 */
export class Tabs<Message> {
  /** What another tab said. A tab does not hear itself. */
  readonly events = new Emitter<{ message: Message; lead: boolean }>();
  readonly #channel: BroadcastChannel | null;
  readonly #env: Environment;
  readonly #name: string;
  readonly #closing = new AbortController();
  #leads = false;
  #release: (() => void) | null = null;

  constructor(env: Environment, name: string) {
    this.#env = env;
    this.#name = name;
    this.#channel = env.channel?.(name) ?? null;
    this.#channel?.addEventListener('message', ({ data }: MessageEvent<Message>) => this.events.emit('message', data));
  }

  get leads(): boolean {
    return this.#leads;
  }

  say(message: Message): void {
    if (!this.#closing.signal.aborted) this.#channel?.postMessage(message);
  }

  /** Stands for leader: now, or when the tab that leads is closed. Where tabs cannot agree, each leads itself. */
  stand(): void {
    const { locks } = this.#env;
    if (!locks) return this.#become(true);
    const { signal } = this.#closing;
    const lead = (): Promise<void> =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        this.#release = resolve;
        this.#become(true);
      });
    locks.request(`${this.#name}|leader`, { signal }, lead).catch(() => undefined);
  }

  /** Leaves. What a leader does has to be stopped before. */
  close(): void {
    this.#closing.abort();
    this.#leads = false;
    this.#release?.();
    this.#channel?.close();
  }

  #become(leads: boolean): void {
    this.#leads = leads;
    this.events.emit('lead', leads);
  }
}
