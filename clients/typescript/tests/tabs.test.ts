import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Environment } from '../src/environment.ts';
import { Tabs } from '../src/tabs.ts';
import { lockManager } from './locks.ts';
import { idle, Manual } from './manual.ts';


function browser(): Environment {
  return new Manual().environment({ locks: lockManager(), channel: (name) => new BroadcastChannel(name) });
}

test('one tab leads, and the next one when it closes', async () => {
  const env = browser();
  const [first, second] = [new Tabs<string>(env, 'one|a'), new Tabs<string>(env, 'one|a')];
  first.stand();
  second.stand();
  await idle();
  assert.deepEqual([first.leads, second.leads], [true, false]);
  first.close();
  await idle();
  assert.deepEqual([first.leads, second.leads], [false, true]);
  second.close();
});

test('tabs of one account hear each other, and nobody hears another account', async () => {
  const env = browser();
  const [one, two, other] = [new Tabs<string>(env, 'x|a'), new Tabs<string>(env, 'x|a'), new Tabs<string>(env, 'x|b')];
  const heard: string[] = [];
  const arrived = new Promise<void>((resolve) => two.events.on('message', (message) => (heard.push(`two: ${message}`), resolve())));
  one.events.on('message', () => heard.push('one'));
  other.events.on('message', () => heard.push('other'));
  one.say('news');
  await arrived;
  await idle();
  assert.deepEqual(heard, ['two: news']);
  for (const tabs of [one, two, other]) tabs.close();
});

test('accounts do not share a leader', async () => {
  const env = browser();
  const [one, other] = [new Tabs<string>(env, 'y|a'), new Tabs<string>(env, 'y|b')];
  one.stand();
  other.stand();
  await idle();
  assert.deepEqual([one.leads, other.leads], [true, true]);
  one.close();
  other.close();
});
