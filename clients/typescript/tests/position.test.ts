import assert from 'node:assert/strict';
import { test } from 'node:test';

import { behind, between, inOrder, move } from '../src/index.ts';
import { randomFrom } from './manual.ts';

test('a position lies strictly between its neighbours', () => {
  for (const [before, after] of [[null, null], [null, 'a0'], ['a0', null], ['a0', 'a1'], ['a', 'a1'], ['Z', 'a'], ['z', null]] as const) {
    const middle = between(before, after);
    assert.ok(middle !== null, `${before} ${after}`);
    assert.match(middle, /^[0-9A-Za-z]{1,64}$/);
    if (before !== null) assert.ok(middle > before);
    if (after !== null) assert.ok(middle < after);
  }
});

test('equal, crossed or exhausted neighbours leave no room', () => {
  assert.equal(between('a0', 'a0'), null);
  assert.equal(between('b', 'a'), null);
  assert.equal(between(null, '0'), null);
  assert.equal(between('a', 'a0'), null);
});

test('appending counts up and grows, as on the server', () => {
  assert.equal(behind(null), 'a0');
  assert.equal(behind('a0'), 'a1');
  assert.equal(behind('az'), 'b0');
  assert.equal(behind('zz'), 'zz1');
  assert.equal(behind('z'.repeat(64)), 'z'.repeat(64));
});

test('any sequence of moves gives the order that was asked for', () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const next = randomFrom(seed);
    let list = Array.from({ length: 6 }, (_, at) => ({ id: `id${at}`, position: at < 3 ? 'a0' : `a${at}` })).sort(inOrder);
    for (let step = 0; step < 60; step += 1) {
      const from = Math.floor(next() * list.length);
      const to = Math.floor(next() * list.length);
      const wanted = list.map(({ id }) => id);
      wanted.splice(to, 0, ...wanted.splice(from, 1));
      for (const { id, position } of move(list, from, to)) {
        assert.match(position, /^[0-9A-Za-z]{1,64}$/);
        list = list.map((item) => (item.id === id ? { id, position } : item));
      }
      list.sort(inOrder);
      assert.deepEqual(list.map(({ id }) => id), wanted, `seed ${seed}, step ${step}, ${from} to ${to}`);
    }
  }
});

test('a move where there is room is one write, and a list of two thousand can be spread', () => {
  const list = ['a0', 'a1', 'a2'].map((position, at) => ({ id: `id${at}`, position }));
  assert.equal(move(list, 2, 0).length, 1);
  assert.deepEqual(move(list, 1, 1), []);
  const crowd = Array.from({ length: 2000 }, (_, at) => ({ id: `id${String(at).padStart(4, '0')}`, position: 'a0' }));
  const spread = move(crowd, 0, 1000);
  assert.deepEqual(spread, spread.toSorted(inOrder));
  assert.equal(new Set(spread.map(({ position }) => position)).size, 2000);
});
