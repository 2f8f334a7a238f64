// What concerns all tokens of the user.

import { revokeTemporary } from './api.js';
import { button, confirm, foreign, h } from './dom.js';
import { end } from './session.js';
import { facts } from './shared.js';
import { moment } from './time.js';

// accountView returns the view of the user.
export function accountView(app) {
  const { user } = app;
  const [revoke, place] = button('Revoke all temporary tokens…', { class: 'danger' }, async () => {
    const agreed = await confirm({
      title: 'Revoke all temporary tokens?', action: 'Revoke',
      text: h('p', {}, 'Every temporary token of yours stops working at once and for ever, and every log-in of yours to this page ends, this one, too. Named tokens still work.'),
    });
    if (!agreed) return;
    await revokeTemporary();
    end('All temporary tokens are revoked, and all your log-ins ended. Please log in again.');
  });
  return h('section', {}, h('h1', { tabindex: '-1' }, 'Account'),
    h('div', { class: 'card' }, facts([
      ['Name', user.fullName && foreign(user.fullName)], ['User name', user.username && foreign(user.username)],
      ['Id', h('code', {}, foreign(user.userId))], ['Created', user.creationTime ? moment(user.creationTime) : null],
    ])),
    h('div', { class: 'card' }, h('h2', {}, 'Temporary tokens'),
      h('p', {}, 'Temporary tokens have no record, so they are not in the table and cannot be revoked one by one.'),
      h('div', { class: 'actions' }, revoke), place));
}
