// Looks whether every test that docs/security.md names exists, so that nothing stands there as proven by a test that was
// renamed or removed. Prints those that do not and exits 1.
import { existsSync, readFileSync } from 'node:fs';

const DOCUMENT = 'docs/security.md';
const contents = new Map();

// The files that a short name may mean: it/ is the server's stories, web/ the web app's, and any other first word a crate.
function find(short) {
  const [first, ...rest] = short.split('/');
  const tail = rest.join('/');
  const places = {
    it: [`crates/server/tests/it/${tail}`],
    web: [`web/tests/${tail}`],
  }[first] ?? [`crates/${first}/src/${tail}`, `crates/${first}/tests/${tail}`];
  return places.filter(existsSync);
}

function holds(path, name) {
  if (!contents.has(path)) contents.set(path, readFileSync(path, 'utf8'));
  const text = contents.get(path);
  if (!path.endsWith('.rs')) return text.includes(`test('${name}'`);
  // A function that is run as a test: by its attribute, or by its name in a list of stories (stamp!).
  const listed = [...text.matchAll(/stamp\w*!\s*\{([\s\S]*?)\n\}/g)].some(([, list]) => new RegExp(`\\b${name}\\b`).test(list));
  const marked = new RegExp(`#\\[(?:tokio::)?test[^\\n]*\\n(?:\\s*#\\[[^\\n]*\\n)*\\s*(?:async )?fn ${name}\\b`).test(text);
  return marked || (listed && new RegExp(`fn ${name}\\b`).test(text));
}

const named = new Set([...readFileSync(DOCUMENT, 'utf8').matchAll(/`([\w/]+\.(?:spec\.ts|rs))::([^`]+)`/g)].map(([text]) => text));
const absent = [...named].filter((text) => {
  const [short, name] = text.slice(1, -1).split('::');
  return !find(short).some((path) => holds(path, name));
});
if (!named.size) absent.push('(no test is named at all)');
if (absent.length) {
  console.error(absent.map((text) => `  - ${text}`).join('\n'));
  console.error(`${DOCUMENT}: ${absent.length} of ${named.size} tests that it names do not exist.`);
  process.exit(1);
}
console.error(`${DOCUMENT}: all ${named.size} tests that it names exist.`);
