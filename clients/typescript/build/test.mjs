// Runs everything: the generated types are fresh, the code compiles, the size is in its budget, the tests pass. Tests
// against a real server need SERVER_BIN, the binary; without it they say that they were skipped.
// Arguments are names of test files without `.test.ts`.
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const home = join(import.meta.dirname, '..');

function run(command, ...args) {
  const { status } = spawnSync(command, args, { cwd: home, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const node = process.execPath;
const names = process.argv.slice(2);
run(node, 'build/types.mjs', '--check');
rmSync(join(home, '.test'), { recursive: true, force: true });
run(node, 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.json');
run(node, 'build/size.mjs');
const files = readdirSync(join(home, '.test/tests'))
  .filter((file) => file.endsWith('.test.js') && (names.length === 0 || names.includes(file.slice(0, -8))))
  .map((file) => join('.test/tests', file));
run(node, '--test', '--test-reporter=spec', ...files);
