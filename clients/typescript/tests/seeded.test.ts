import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

/**
 * Tests are only worth something if they go red for a client that is wrong. So each of these bugs is put into a copy of
 * the compiled client, and the file of tests that guards against it has to find it.
 */
const BUGS = [
  { name: 'no gap check', by: 'schedules', file: 'delta.js', from: 'if (!begins && !overlaps)', to: 'if (false)' },
  { name: 'no check of rev against the local cursor', by: 'schedules', file: 'delta.js', from: 'if (!begins && rev <= local.seq)', to: 'if (false)' },
  {
    name: 'a delta of another era applied over another position',
    by: 'schedules',
    file: 'delta.js',
    from: 'from.era === local.era && to.era === local.era && ',
    to: '',
  },
  { name: 'a sent mutation changed', by: 'schedules', file: 'queue.js', from: 'last && !last.sent && joins', to: 'last && joins' },

  { name: 'no snapshot after pages broke off', by: 'paging', file: 'sync.js', from: '({ copy, result: copy.paging })', to: '({ copy, result: false })' },
  { name: 'what comes between two pages taken from a stream', by: 'paging', file: 'sync.js', from: 'copy.paging ? { copy, result: false } : ', to: '' },
  { name: 'an answer that stands in for the snapshot', by: 'paging', file: 'sync.js', from: 'this.#wanted.snapshot ? null : cursor', to: 'cursor' },
  { name: 'pages forgotten when the app is closed', by: 'paging', file: 'delta.js', from: 'paging: delta.has_more', to: 'paging: false' },

  { name: 'a pause that calls nothing off', by: 'accounts', file: 'sync.js', from: 'this.#halt.abort();', to: '' },
  { name: 'requests that no pause calls off', by: 'accounts', file: 'sync.js', from: '...options, signal, account', to: '...options, account' },
  { name: 'a sign-in that pauses nothing in its own tab', by: 'accounts', file: 'accounts.js', from: 'pause();\n        try', to: 'try' },
  { name: 'a sign-in that pauses nothing in other tabs', by: 'accounts', file: 'accounts.js', from: "if (message === 'changing')", to: 'if (false)' },
  { name: 'exchanges beside a sign-in of another tab', by: 'accounts', file: 'sync.js', from: 'return this.#session.steady(async () => {', to: 'return Promise.resolve().then(async () => {' },
  { name: 'a session that is believed while it changes', by: 'accounts', file: 'accounts.js', from: 'await session.doubt();', to: '' },
  { name: 'requests of whoever has the cookie', by: 'accounts', file: 'session.js', from: 'account !== undefined && !(await this.holds(account))', to: 'false' },
  { name: 'answers to whoever has the cookie', by: 'accounts', file: 'http.js', from: 'account !== undefined && !(await this.#credential?.holds(account))', to: 'false' },
  { name: 'a sign-out that drops what another tab has just changed', by: 'accounts', file: 'accounts.js', from: "discard ? 'nothing' : 'unsent'", to: "'nothing'" },
  { name: 'a sign-out that counts its own tab only', by: 'accounts', file: 'client.js', from: 'await this.#live?.sync.load(), ', to: '' },
  { name: 'an adoption that leaves the last changes behind', by: 'accounts', file: 'accounts.js', from: 'await this.#parts.adopted();', to: '' },
  { name: 'a firewall that refuses edits', by: 'accounts', file: 'sync.js', from: '([400, 422].includes(status) && fields.length > 0)', to: 'status >= 400' },
  { name: 'success of a proxy taken for the answer to a batch', by: 'accounts', file: 'sync.js', from: ', isOurs: isSyncAnswer', to: '' },
  { name: 'success of a proxy taken for the end of a session', by: 'accounts', file: 'accounts.js', from: 'tries: 1, isOurs: isAccount', to: 'tries: 1' },
  { name: 'a stream that is believed whosever it is', by: 'accounts', file: 'sync.js', from: 'if (!(await this.#session.holds(this.#account)))\n            return;', to: '' },
  { name: 'an end of the session that nobody hears of', by: 'accounts', file: 'session.js', from: "await this.forget();\n        this.events.emit('ended', problem);", to: 'await this.forget();' },
  { name: 'mids of a wrong clock', by: 'sending', file: 'sync.js', from: 'Math.abs(madeAt(mid) - now) > DAY_MS', to: 'false' },
  { name: 'a repeat under another mid', by: 'sending', file: 'queue.js', from: 'queued.sent ? queued.mutation : ', to: '' },
  { name: 'a forecast of what the server does not have yet', by: 'sending', file: 'forecasts.js', from: 'await this.#delivered(id);', to: '' },
  { name: 'a rescue that is tried once', by: 'rescue', file: 'sync.js', from: 'this.#cleared ||= rescues;', to: '' },
  { name: 'an emptied storage that is believed', by: 'rescue', file: 'client.js', from: 'live.sync.rescue()', to: 'live.sync.load()' },
];

const HERE = import.meta.dirname;

function resultOf(folder: string, by: string): Promise<{ passed: boolean; output: string }> {
  const env = { ...process.env, SCHEDULES: '400', NODE_TEST_CONTEXT: undefined };
  return new Promise((resolve) => {
    execFile(process.execPath, ['--test-force-exit', join(folder, `tests/${by}.test.js`)], { env, timeout: 60_000, killSignal: 'SIGKILL' }, (error, output) =>
      resolve({ passed: error === null, output }),
    );
  });
}

for (const { name, by, file, from, to } of BUGS) {
  test(`${by} find: ${name}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fairweather-client-'));
    try {
      await cp(join(HERE, '..'), folder, { recursive: true });
      await writeFile(join(folder, 'package.json'), '{"type":"module"}');
      await symlink(join(HERE, '../../node_modules'), join(folder, 'node_modules'));
      const path = join(folder, 'src', file);
      const code = await readFile(path, 'utf8');
      assert.equal(code.split(from).length, 2, `the code to break is there once: ${from}`);
      await writeFile(path, code.replace(from, () => to));
      const { passed, output } = await resultOf(folder, by);
      assert.equal(passed, false, 'the tests passed with the bug in');
      assert.match(output, /ERR_ASSERTION|cancelledByParent/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}
