import { expect, test } from '@playwright/test';

import { between, inOrder, move } from '../src/state/position.ts';

/** A small generator of our own, so that a failing run can be repeated from its printed seed. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test('a position lies strictly between its neighbours', () => {
  for (const [before, after] of [[null, null], [null, 'a0'], ['a0', null], ['a0', 'a1'], ['a', 'a1'], ['Z', 'a'], ['z', null]] as const) {
    const middle = between(before, after);
    expect(middle, `${before} ${after}`).not.toBeNull();
    if (middle === null) continue;
    expect(middle).toMatch(/^[0-9A-Za-z]{1,64}$/);
    if (before !== null) expect(middle > before).toBe(true);
    if (after !== null) expect(middle < after).toBe(true);
  }
});

test('equal, crossed or exhausted neighbours leave no room', () => {
  expect(between('a0', 'a0')).toBeNull();
  expect(between('b', 'a')).toBeNull();
  expect(between(null, '0')).toBeNull();
  expect(between('a', 'a0')).toBeNull();
});

test('any sequence of moves gives the order that was asked for', () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const next = random(seed);
    let list = Array.from({ length: 6 }, (_, at) => ({ id: `id${at}`, position: at < 3 ? 'a0' : `a${at}` })).sort(inOrder);
    for (let step = 0; step < 60; step += 1) {
      const from = Math.floor(next() * list.length);
      const to = Math.floor(next() * list.length);
      const wanted = list.map(({ id }) => id);
      wanted.splice(to, 0, ...wanted.splice(from, 1));
      for (const { id, position } of move(list, from, to)) {
        expect(position).toMatch(/^[0-9A-Za-z]{1,64}$/);
        list = list.map((item) => (item.id === id ? { id, position } : item));
      }
      list.sort(inOrder);
      expect(list.map(({ id }) => id), `seed ${seed}, step ${step}, ${from} to ${to}`).toEqual(wanted);
    }
  }
});

test('a move where there is room is one write', () => {
  const list = ['a0', 'a1', 'a2'].map((position, at) => ({ id: `id${at}`, position }));
  expect(move(list, 2, 0)).toHaveLength(1);
  expect(move(list, 1, 1)).toEqual([]);
});
