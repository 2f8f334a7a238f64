// The log-in: it is continued while the user is active, and ends after ten
// minutes without a key or click, or with the tab.

import { basic, currentUser, logInWith, pageURL, setLogIn, settings } from './api.js';

const idleAfter = 10 * 60_000; // milliseconds
const checkEvery = 10_000;
const nonceKey = 'onezone-log-in'; // of the session storage, while the user is at the identity provider

let active = 0; // time of the last key or click
let issued = 0; // time of the log-in token
let ends = 0; // of the log-in token
let token = '';
let timer = 0;
let ended = () => {};

for (const event of ['pointerdown', 'keydown']) {
  addEventListener(event, () => { active = Date.now(); }, { passive: true, capture: true });
}

// Timers of a tab in the background are late.
document.addEventListener('visibilitychange', () => { if (token) check(); });

// start begins a log-in with the answer of the service. onEnd is called with a
// reason when the log-in ends.
async function start(answer, onEnd) {
  take(answer);
  ended = onEnd;
  active = Date.now();
  clearInterval(timer);
  timer = setInterval(check, checkEvery);
  return currentUser();
}

function take(answer) {
  token = answer.token;
  issued = Date.now();
  ends = issued + answer.ttl * 1000;
  setLogIn(token, () => end('Your log-in has ended. Please log in again.'));
}

async function check() {
  const now = Date.now();
  if (now - active >= idleAfter) return end('You were logged out after ten minutes without activity.');
  if (now >= ends) return end('Your log-in has ended. Please log in again.');
  if (now - issued < (ends - issued) / 3 || active < issued) return undefined;
  const continued = token; // another one: the user has logged out since, and perhaps somebody else in
  try {
    const answer = await logInWith({ 'X-Auth-Token': continued });
    if (token === continued) take(answer);
  } catch (error) {
    if (token === continued && (error.status === 401 || error.status === 403)) end('Your log-in has ended. Please log in again.');
  }
  return undefined;
}

// end forgets the log-in.
export function end(reason = '') {
  clearInterval(timer);
  token = '';
  setLogIn('');
  ended(reason);
}

// withPassword logs a user in, and returns the user.
export async function withPassword(username, password, onEnd) {
  return start(await logInWith(basic(username, password)), onEnd);
}

// toIdentityProvider leaves the page for the identity provider. The nonce shows
// after the return that this tab began the log-in.
export function toIdentityProvider() {
  const nonce = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
  sessionStorage.setItem(nonceKey, nonce);
  location.assign(`${pageURL(settings.identityProvider.path)}?nonce=${nonce}`);
}

// refusals are the reasons why the service did not log a user in.
const refusals = {
  'not-begun': 'The log-in took too long, or was begun in another browser. Please log in again.',
  'not-allowed': 'You are in none of the groups that may log in here.',
  blocked: 'Your account is blocked.',
  refused: 'The identity provider did not log you in.',
  failed: 'The identity provider cannot be reached, or its answer is not valid. Please try again later.',
};

// fromIdentityProvider takes the log-in that the service put in the fragment of
// the address, and returns the user; null if there is none.
export async function fromIdentityProvider(onEnd) {
  const answer = new URLSearchParams(location.hash.slice(1));
  if (!answer.has('log-in') && !answer.has('log-in-error')) return null;
  history.replaceState(null, '', location.pathname + location.search);
  const nonce = sessionStorage.getItem(nonceKey);
  sessionStorage.removeItem(nonceKey);
  if (answer.has('log-in-error')) throw new Error(refusals[answer.get('log-in-error')] ?? refusals.refused);
  if (!nonce || answer.get('nonce') !== nonce) {
    throw new Error('This log-in was not begun in this tab, so it is not used. Please log in again.');
  }
  return start(await logInWith({ 'X-Auth-Token': answer.get('log-in') }), onEnd);
}
