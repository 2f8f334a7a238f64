// Parts that several views show.

import { records } from './api.js';
import { h, foreign } from './dom.js';
import { words } from './caveats.js';
import { moment, now, relative } from './time.js';
import { tokensOf } from './tokens.js';

// loadTokens reads the records, unless they are known.
export async function loadTokens(app, { again = false } = {}) {
  if (!app.tokens || again) app.tokens = tokensOf(await records());
  return app.tokens;
}

// badge shows the state of a token, in a word and a color.
export function badge(state) {
  return h('span', { class: `badge ${state.replace(' ', '-')}` }, state);
}

// bar shows how much of the lifetime is left. The text beside it says the same.
export function bar(token, at = now()) {
  const filled = h('span');
  const left = token.left(at);
  filled.style.setProperty('inline-size', `${Math.round(left * 100)}%`);
  return h('span', { class: `bar ${token.expiry === null ? 'endless' : left < 0.15 ? 'low' : ''}`, 'aria-hidden': 'true' }, filled);
}

// endOf says when a token ends.
export function endOf(token, at = now()) {
  if (token.expiry === null) return 'never';
  return token.expiry > at ? relative(token.expiry, at) : `${relative(token.expiry, at)}`;
}

// useOf says where a token was last used.
export function useOf(use) {
  const from = [use.address && `from ${use.address}`, use.service && `at ${use.service}`, use.interface && `by ${use.interface}`].filter(Boolean).join(' ');
  return h('span', {}, moment(use.time), from && ' ', from && foreign(from), use.count ? `, ${use.count.toLocaleString()} uses in all` : '');
}

// caveatList says caveats in words. note returns more about a caveat.
export function caveatList(caveats, note = () => null) {
  if (!caveats.length) return h('p', { class: 'hint' }, 'No caveats: it works everywhere and for everything.');
  return h('ul', { class: 'plain' }, caveats.map((c, i) => h('li', {}, 'It works ', foreign(words(c)), '.', note(c, i))));
}

// facts is a list of names and values.
export function facts(pairs) {
  return h('dl', {}, pairs.filter(([, value]) => value != null && value !== '').map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
}

// inParallel runs an action for each item, a few at a time, and returns the
// errors. progress is called with the number of items that are done.
export async function inParallel(items, action, progress = () => {}) {
  const errors = [];
  const queue = [...items];
  let done = 0;
  await Promise.all(Array.from({ length: 4 }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await action(item);
      } catch (error) {
        errors.push(error);
      }
      progress(++done);
    }
  }));
  return errors;
}
