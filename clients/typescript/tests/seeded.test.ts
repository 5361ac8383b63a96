import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

/**
 * The schedules are only worth something if they go red for a client that is wrong. So each of these bugs is put into
 * a copy of the compiled client, and the schedules have to find it.
 */
const BUGS = [
  { name: 'no gap check', file: 'delta.js', from: 'if (!begins && !overlaps)', to: 'if (false)' },
  { name: 'no check of rev against the local cursor', file: 'delta.js', from: 'if (!begins && rev <= local.seq)', to: 'if (false)' },
  {
    name: 'a delta of another era applied over another position',
    file: 'delta.js',
    from: 'from.era === local.era && to.era === local.era && ',
    to: '',
  },
  { name: 'a sent mutation changed', file: 'queue.js', from: 'last && !last.sent && joins', to: 'last && joins' },
];

const HERE = import.meta.dirname;

function schedulesOf(folder: string): Promise<{ passed: boolean; output: string }> {
  const env = { ...process.env, SCHEDULES: '400', NODE_TEST_CONTEXT: undefined };
  return new Promise((resolve) => {
    execFile(process.execPath, [join(folder, 'tests/schedules.test.js')], { env, timeout: 60_000 }, (error, output) =>
      resolve({ passed: error === null, output }),
    );
  });
}

for (const { name, file, from, to } of BUGS) {
  test(`the schedules find: ${name}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fairweather-client-'));
    try {
      await cp(join(HERE, '..'), folder, { recursive: true });
      await writeFile(join(folder, 'package.json'), '{"type":"module"}');
      const path = join(folder, 'src', file);
      const code = await readFile(path, 'utf8');
      assert.equal(code.split(from).length, 2, `the code to break is there once: ${from}`);
      await writeFile(path, code.replace(from, () => to));
      const { passed, output } = await schedulesOf(folder);
      assert.equal(passed, false, 'the schedules passed with the bug in');
      assert.match(output, /ERR_ASSERTION|cancelledByParent/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
}
