// Looks at what is built into Fairweather, without the network: where it comes from, that its content is pinned, under
// which licence it stands, and what must not be in it. Prints what is wrong and exits 1. The lists of licences and of
// refused crates are those of deny.toml, so that there is one list.
//
// Usage: cargo metadata --offline --locked --format-version 1 | node scripts/lib/dependencies.mjs
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

const CRATES = 'registry+https://github.com/rust-lang/crates.io-index';
const PACKAGES = 'https://registry.npmjs.org/';
// Licences of packages of the web and the tests, beside those of deny.toml: a font's, and that of a parser that only
// the generator of types uses.
const LICENCES_OF_PACKAGES = ['OFL-1.1', 'Python-2.0'];
// Packages that ask to run a script when they are installed. None of them may, since every .npmrc says so, and each is
// listed here once it was seen to work without.
const INSTALL_SCRIPTS = ['@scarf/scarf', 'esbuild'];

const faults = [];
const fault = (text) => faults.push(text);
const read = (path) => readFileSync(path, 'utf8');
const strings = (text) => [...text.matchAll(/"([^"]*)"/g)].map((match) => match[1]);

// What deny.toml allows and refuses. Nothing found means that it is written otherwise than this reads it.
function policy() {
  const text = read('deny.toml').replace(/^\s*#.*$/gm, '');
  const one = (pattern) => text.match(pattern)?.[1] ?? '';
  const licences = strings(one(/^allow = \[([^\]]*)\]/m));
  const refused = [...one(/^deny = \[([^\]]*)\]/m).matchAll(/crate = "([^"]+)"/g)].map((match) => match[1]);
  const targets = strings(one(/^targets = \[([^\]]*)\]/m));
  const exceptions = new Map(
    [...one(/^exceptions = \[\n([\s\S]*?)^\]/m).matchAll(/crate = "([^"]+)", allow = \[([^\]]*)\]/g)].map(
      ([, name, allowed]) => [name, strings(allowed)],
    ),
  );
  if (!licences.length || !refused.length || !targets.length) fault('deny.toml: the lists were not found in it');
  return { licences, refused, exceptions };
}

// Whether a licence expression can be met with licences of the list: an OR by one side, an AND by both.
function allows(expression, list) {
  // "MIT/Apache-2.0" is how Cargo.toml wrote OR before there were expressions.
  const words = expression.replace(/\//g, ' OR ').match(/[()]|[^\s()]+/g) ?? [];
  const next = (word) => words[0] === word && words.shift();
  const either = () => {
    let good = both();
    while (next('OR')) good = both() || good;
    return good;
  };
  const both = () => {
    let good = licence();
    while (next('AND')) good = licence() && good;
    return good;
  };
  const licence = () => {
    if (next('(')) {
      const good = either();
      return Boolean(next(')')) && good;
    }
    let name = words.shift();
    if (next('WITH')) name += ` WITH ${words.shift()}`;
    return list.includes(name);
  };
  return either() && words.length === 0;
}

// Whether a package uses an optional dependency with the features that it is built with. "name?/feature" does not.
function uses(crate, name, features) {
  const wanted = crate.dependencies.filter((each) => (each.rename ?? each.name) === name || each.name === name);
  if (wanted.some((each) => !each.optional)) return true;
  return features.some((feature) =>
    [feature, ...(crate.features[feature] ?? [])].some(
      (value) => value === name || value === `dep:${name}` || value.startsWith(`${name}/`),
    ),
  );
}

// The crates that are built for systems that have a shell: a lock file also names those that no build uses.
function built(metadata) {
  const crates = new Map(metadata.packages.map((each) => [each.id, each]));
  const nodes = new Map(metadata.resolve.nodes.map((each) => [each.id, each]));
  const seen = new Set(metadata.workspace_members);
  const waiting = [...seen];
  while (waiting.length) {
    const node = nodes.get(waiting.pop());
    for (const dependency of node.deps) {
      const name = crates.get(dependency.pkg).name;
      // We publish for Linux and macOS (deny.toml, `targets`); nothing runs inside of a browser.
      const ours = dependency.dep_kinds.some(({ target }) => !/wasm|windows/.test(target ?? '') || /not\(/.test(target));
      if (ours && uses(crates.get(node.id), name, node.features) && !seen.has(dependency.pkg)) {
        seen.add(dependency.pkg);
        waiting.push(dependency.pkg);
      }
    }
  }
  return [...seen].map((id) => crates.get(id));
}

function checkCrates(metadata, { licences, refused, exceptions }) {
  const members = new Set(metadata.packages.filter((each) => !each.source).map((each) => each.name));
  const own = metadata.packages.filter((each) => metadata.workspace_members.includes(each.id));
  for (const name of members)
    if (!own.some((each) => each.name === name)) fault(`${name}: comes from a folder, and is no crate of the workspace`);
  for (const entry of read('Cargo.lock').split('[[package]]').slice(1)) {
    const field = (key) => entry.match(new RegExp(`^${key} = "([^"]*)"`, 'm'))?.[1];
    const name = `${field('name')} ${field('version')}`;
    if (!field('source')) {
      if (!members.has(field('name'))) fault(`${name}: Cargo.lock names no source, and it is no crate of the workspace`);
    } else {
      if (field('source') !== CRATES) fault(`${name}: comes from ${field('source')}, not from crates.io`);
      if (!/^[0-9a-f]{64}$/.test(field('checksum') ?? '')) fault(`${name}: has no checksum in Cargo.lock`);
    }
  }
  for (const crate of built(metadata))
    if (refused.includes(crate.name) || /^openssl(-sys)?$|^native-tls$|^ring$/.test(crate.name))
      fault(`${crate.name} ${crate.version}: is built, and deny.toml refuses it`);
  for (const crate of metadata.packages) {
    if (!crate.source) continue;
    const allowed = [...licences, ...(exceptions.get(crate.name) ?? [])];
    if (!crate.license) fault(`${crate.name} ${crate.version}: names no licence`);
    else if (!allows(crate.license, allowed)) fault(`${crate.name} ${crate.version}: licence ${crate.license}`);
  }
  if (existsSync('.cargo/config.toml') && /^\s*\[(source|registries|patch)/m.test(read('.cargo/config.toml')))
    fault('.cargo/config.toml: replaces where crates come from');
  return metadata.packages.length - members.size;
}

// Every package-lock.json of ours.
function lockFiles(folder = '.') {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory())
      return ['.git', 'node_modules', 'target', 'dist'].includes(entry.name) ? [] : lockFiles(path);
    return entry.name === 'package-lock.json' ? [path] : [];
  });
}

function checkPackages(path, licences) {
  const { lockfileVersion, packages } = JSON.parse(read(path));
  const settings = join(dirname(path), '.npmrc');
  if (!existsSync(settings) || !/^ignore-scripts=true$/m.test(read(settings)))
    fault(`${settings}: must say ignore-scripts=true`);
  if (existsSync(settings) && /registry *=/.test(read(settings))) fault(`${settings}: names another registry`);
  if (lockfileVersion !== 3) fault(`${path}: lockfileVersion is not 3`);
  const entries = Object.entries(packages ?? {}).filter(([place]) => place !== '');
  for (const [place, entry] of entries) {
    const name = place.replace(/^.*node_modules\//, '');
    if (entry.link || !place.includes('node_modules/')) fault(`${path}: ${name}: comes from a folder`);
    if (entry.resolved !== undefined && !String(entry.resolved).startsWith(PACKAGES))
      fault(`${path}: ${name}: comes from ${entry.resolved}, not from the public registry`);
    if (!/^sha512-/.test(entry.integrity ?? '')) fault(`${path}: ${name}: has no sha512 hash`);
    if (entry.hasInstallScript && !INSTALL_SCRIPTS.includes(name)) fault(`${path}: ${name}: has an install script`);
    if (!allows(String(entry.license ?? ''), [...licences, ...LICENCES_OF_PACKAGES]))
      fault(`${path}: ${name}: licence ${entry.license ?? 'not named'}`);
  }
  return entries.length;
}

const rules = policy();
const crates = checkCrates(JSON.parse(readFileSync(0, 'utf8')), rules);
const packages = lockFiles().reduce((sum, path) => sum + checkPackages(path, rules.licences), 0);
if (faults.length) {
  console.error(faults.map((text) => `  - ${text}`).join('\n'));
  console.error(`Dependencies: ${faults.length} wrong.`);
  process.exit(1);
}
console.error(`Dependencies: ${crates} crates and ${packages} npm packages have their source, hash and licence.`);
