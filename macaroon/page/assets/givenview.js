// The text of a new token, which is shown once.

import { apiURL } from './api.js';
import { caveatList } from './shared.js';
import { risk } from './caveats.js';
import { copyText, h, labelled, printable } from './dom.js';

// givenView shows a token that was just created or confined.
export function givenView({ text, id, name, class: tokenClass, caveats }) {
  const { level, text: warning } = risk(tokenClass, caveats);
  const line = curlLine(tokenClass, text);
  const field = h('textarea', { readonly: true, rows: '4', spellcheck: 'false', class: 'secret', value: text });
  const command = h('textarea', { readonly: true, rows: '4', spellcheck: 'false', class: 'secret', value: line });
  return h('section', { class: 'given' },
    h('h1', { tabindex: '-1' }, 'Your token'),
    h('p', { class: 'lead' }, name ? [h('bdi', {}, printable(name)), ' is ready. '] : 'The token is ready. ', h('strong', {}, 'Its text is shown only now.'), ' Store it where you keep passwords.'),
    h('p', { class: `risk ${level}` }, warning),
    h('div', { class: 'card' }, labelled('Text of the token', field),
      h('div', { class: 'actions' },
        h('button', { type: 'button', class: 'primary', click: () => copyText(text, 'The token is') }, 'Copy'),
        h('button', { type: 'button', click: () => save(text, name) }, 'Save as a file'))),
    h('div', { class: 'card' }, labelled('Try it', command, 'Paste this into a terminal.'),
      h('div', { class: 'actions' }, h('button', { type: 'button', click: () => copyText(line, 'The command is') }, 'Copy the command'))),
    h('div', { class: 'card' }, h('h2', {}, 'When it works'), caveatList(caveats)),
    h('div', { class: 'actions' },
      id && h('a', { class: 'button', href: `#tokens/${encodeURIComponent(id)}` }, 'I have stored it: show the token'),
      h('a', { class: 'button', href: '#tokens' }, 'All tokens')));
}

// curlLine returns the command that tries a token.
export function curlLine(tokenClass, text) {
  if (tokenClass === 'access') return `curl -H 'X-Auth-Token: ${text}' ${apiURL('/user')}`;
  return `curl -H 'Content-Type: application/json' -d '{"token":"${text}"}' ${apiURL(`/tokens/verify_${tokenClass}_token`)}`;
}

function save(text, name) {
  const url = URL.createObjectURL(new Blob([`${text}\n`], { type: 'text/plain' }));
  const link = h('a', { href: url, download: `${(name ?? 'token').replace(/[^\p{L}\p{N}._-]+/gu, '-')}.token` });
  link.click();
  URL.revokeObjectURL(url);
}
