import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { type Client, type ClientOptions, createClient, type Environment, type Favourite, type LocalFavourite, memoryStorage } from '../src/index.ts';

/** The binary under test, or undefined where only the client is tested. */
export const BINARY = process.env['SERVER_BIN'];

/** A server of the test's own, with a data folder that can be copied and put back. */
export class Fairweather {
  url = '';
  mailbox = '';
  readonly #folder: string;
  #process: ChildProcess | null = null;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async begin(): Promise<Fairweather> {
    const server = new Fairweather(await mkdtemp(join(tmpdir(), 'fairweather-client-')));
    await server.start();
    return server;
  }

  async start(): Promise<void> {
    const data = join(this.#folder, 'data');
    const env = { ...process.env, FAIRWEATHER_WEATHER__SANDBOX__ALWAYS: 'true' };
    const child = spawn(BINARY ?? '', ['dev', '--data', data, '--listen', '127.0.0.1:0'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#process = child;
    const said: string[] = [];
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${said.join('\n')}`)));
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on('line', (line) => {
          said.push(line);
          const mailbox = /(http:\S+\/dev\/mailbox\S*)/.exec(line)?.[1];
          const listening = /listening on (http:\S+)/.exec(line)?.[1];
          if (mailbox) this.mailbox = mailbox;
          if (listening) this.url = listening;
          if (this.url !== '' && this.mailbox !== '') resolve();
        });
      }
    });
    child.removeAllListeners('exit');
  }

  async stop(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    this.url = this.mailbox = '';
    if (!child || child.exitCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  }

  /** Copies the data of a server that is stopped. */
  async backup(): Promise<void> {
    await cp(join(this.#folder, 'data'), join(this.#folder, 'backup'), { recursive: true });
  }

  /** Puts the copied data back into a server that is stopped: what came after the copy is lost. */
  async restore(): Promise<void> {
    await rm(join(this.#folder, 'data'), { recursive: true });
    await cp(join(this.#folder, 'backup'), join(this.#folder, 'data'), { recursive: true });
  }

  async end(): Promise<void> {
    await this.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /** The code that was mailed to an address. */
  async codeFor(email: string): Promise<string> {
    const page = await (await fetch(this.mailbox)).text();
    const after = page.slice(page.indexOf(email) + email.length).replace(/<[^>]*>/g, ' ');
    const code = /\b[0-9A-HJKMNP-TV-Z]{4}-?[0-9A-HJKMNP-TV-Z]{4}\b/.exec(after)?.[0];
    if (code === undefined) throw new Error(`no code for ${email} in the mailbox`);
    return code;
  }
}

/** What happens to a request on its way. */
export type Fate = 'pass' | 'lose the answer' | 'lose the request';

/** A network between a client and the server, which the test can break. */
export class BrokenNetwork {
  /** Decides for each request; everything passes unless the test says otherwise. */
  fate: (method: string, path: string) => Fate = () => 'pass';
  readonly log: string[] = [];
  readonly #streams = new Set<Socket>();
  readonly #server = createServer((incoming, outgoing) => this.#pass(incoming, outgoing));
  #target: () => string;

  private constructor(target: () => string) {
    this.#target = target;
  }

  static async before(server: Fairweather): Promise<BrokenNetwork> {
    const network = new BrokenNetwork(() => server.url);
    network.#server.listen(0, '127.0.0.1');
    await once(network.#server, 'listening');
    return network;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Cuts all streams in the middle. Gives their number. */
  cutStreams(): number {
    const { size } = this.#streams;
    for (const socket of this.#streams) socket.destroy();
    this.#streams.clear();
    return size;
  }

  async end(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { method = 'GET', url = '/' } = incoming;
    this.log.push(`${method} ${url}`);
    const fate = this.fate(method, url.split('?')[0] ?? '');
    if (fate === 'lose the request' || this.#target() === '') return void incoming.socket.destroy();
    const onward = request(this.#target() + url, { method, headers: incoming.headers }, (answer) => {
      if (fate === 'lose the answer') {
        answer.resume();
        return void answer.once('end', () => incoming.socket.destroy());
      }
      if (answer.headers['content-type']?.startsWith('text/event-stream')) this.#streams.add(incoming.socket);
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      outgoing.flushHeaders();
      answer.pipe(outgoing);
      answer.once('error', () => incoming.socket.destroy());
    });
    onward.once('error', () => incoming.socket.destroy());
    outgoing.once('close', () => onward.destroy());
    incoming.pipe(onward);
  }
}

/** A device of somebody, with what its client said. */
export class Device {
  readonly client: Client;
  readonly edits: { type: string; field?: string; error?: string; was?: unknown; yours?: unknown; theirs?: unknown; item?: Favourite | null }[] = [];
  readonly link: { online: boolean };

  constructor(baseUrl: string, options: ClientOptions = {}) {
    const link = { online: true };
    this.link = link;
    const environment: Partial<Environment> = {
      online: () => link.online,
      fetch: (input, init) => (link.online ? fetch(input, init) : Promise.reject(new TypeError('offline'))),
      ...options.environment,
    };
    this.client = createClient({ baseUrl, storage: memoryStorage(), ...options, environment });
    this.client.on('edit', (event) => this.edits.push(event));
  }

  get list(): readonly LocalFavourite[] {
    return this.client.favourites.list ?? [];
  }

  get names(): string[] {
    return this.list.map(({ name }) => name);
  }

  /** Waits until the device has come to a state. There is a deadline and no pause. */
  until(what: string, reached: (device: Device) => boolean, deadlineMs = 15_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const offs: (() => void)[] = [];
      const done = (error?: Error): void => {
        clearTimeout(timer);
        for (const off of offs) off();
        if (error) reject(error);
        else resolve();
      };
      const timer = setTimeout(
        () => done(new Error(`not within ${deadlineMs} ms: ${what}\n${JSON.stringify([this.client.status, this.list, this.edits])}`)),
        deadlineMs,
      );
      const look = (): void => {
        if (reached(this)) done();
      };
      for (const event of ['favourites', 'status', 'edit', 'account'] as const) offs.push(this.client.on(event, () => queueMicrotask(look)));
      look();
    });
  }

  untilLive(): Promise<void> {
    return this.until('live', ({ client }) => client.status.stream === 'open');
  }

  untilSent(): Promise<void> {
    return this.until('everything is sent', ({ client }) => client.status.unsent === 0 && !client.status.busy);
  }
}
