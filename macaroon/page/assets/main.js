// The frame of the page: who is logged in, and which view is shown.

import { fill, h, announce, fault } from './dom.js';
import { end, fromIdentityProvider } from './session.js';
import { loginView } from './loginview.js';
import { listView } from './listview.js';
import { tokenView } from './tokenview.js';
import { createView } from './createview.js';
import { examineView } from './examineview.js';
import { accountView } from './accountview.js';

const top = document.getElementById('top');
const main = document.getElementById('main');

const views = [
  { path: 'tokens', label: 'Tokens', show: (app, id) => (id ? tokenView(app, id) : listView(app)) },
  { path: 'create', label: 'Create', show: createView },
  { path: 'examine', label: 'Examine', show: examineView },
  { path: 'account', label: 'Account', show: accountView },
];

// app is what the views share: the user, and the tokens once they are read.
let app = null;

function brand() {
  return h('span', { class: 'brand' }, h('span', { class: 'mark', 'aria-hidden': 'true' }), 'Onezone tokens');
}

function showLogin(reason = '') {
  app = null;
  fill(top, brand());
  document.title = 'Log in · Onezone';
  fill(main, loginView(loggedIn, showLogin, reason));
  main.querySelector('input, button')?.focus();
}

function loggedIn(user) {
  app = { user, tokens: null, filter: {}, go, selected: new Set() };
  const name = user.fullName || user.username || user.userId;
  fill(top, brand(),
    h('nav', { 'aria-label': 'Views' }, views.map((v) => h('a', { href: `#${v.path}` }, v.label))),
    h('span', { class: 'who' }, h('bdi', {}, name), h('button', { type: 'button', class: 'quiet', click: () => end('You are logged out.') }, 'Log out')));
  announce(`Logged in as ${name}.`);
  route();
}

// go opens a view by its path.
function go(path) {
  if (location.hash === `#${path}`) route();
  else location.hash = path;
}

let shown = 0;

async function route() {
  const [path = '', ...rest] = location.hash.slice(1).split('/');
  if (path === 'main') return main.focus();
  if (!app) return undefined;
  const view = views.find((v) => v.path === path) ?? views[0];
  for (const link of top.querySelectorAll('nav a')) {
    if (link.hash === `#${view.path}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  document.title = `${view.label} · Onezone`;
  const turn = ++shown;
  let content;
  try {
    content = await view.show(app, decodeURIComponent(rest.join('/')));
  } catch (error) {
    content = fault(error);
  }
  if (!app || turn !== shown) return undefined;
  fill(main, content);
  (main.querySelector('h1') ?? main).focus({ preventScroll: true });
  scrollTo(0, 0);
  return undefined;
}

addEventListener('hashchange', route);
try {
  const user = await fromIdentityProvider(showLogin);
  if (user) loggedIn(user);
  else showLogin();
} catch (error) {
  showLogin(error.message);
}
