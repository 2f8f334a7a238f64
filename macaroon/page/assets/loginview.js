// The log-in.

import { settings } from './api.js';
import { fault, fill, h, labelled, printable } from './dom.js';
import { toIdentityProvider, withPassword } from './session.js';

// loginView calls done with the user who logged in, and ended with a reason
// when that log-in ends.
export function loginView(done, ended, reason) {
  const name = h('input', { type: 'text', autocomplete: 'username', autocapitalize: 'off', spellcheck: 'false', required: true });
  const password = h('input', { type: 'password', autocomplete: 'current-password', required: true });
  const place = h('div', {}, reason && h('p', { class: 'note', role: 'status' }, printable(reason)));
  const submit = h('button', { type: 'submit', class: 'primary' }, 'Log in');
  const form = h('form', { submit: async (event) => {
    event.preventDefault();
    submit.disabled = true;
    try {
      const user = await withPassword(name.value, password.value, ended);
      done(user);
    } catch (error) {
      password.value = '';
      fill(place, fault(error));
      password.focus();
    } finally {
      submit.disabled = false;
    }
  } }, labelled('User name', name), labelled('Password', password), h('div', { class: 'actions' }, submit));
  const provider = settings.identityProvider;
  return h('section', { class: 'login card' },
    h('h1', { tabindex: '-1' }, 'Log in'),
    h('p', { class: 'lead' }, 'See, narrow and revoke the tokens that you have given out.'),
    place,
    settings.passwords && form,
    settings.passwords && provider && h('p', { class: 'or' }, 'or'),
    provider && h('button', { type: 'button', class: 'wide', click: toIdentityProvider }, `Log in with ${printable(provider.name)}`),
    h('p', { class: 'hint' }, 'The log-in stays in this tab. It ends when you close the tab, or after ten minutes without activity.'));
}
