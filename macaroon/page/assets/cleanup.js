// The dialog that deletes tokens that are of no use any more.

import { remove } from './api.js';
import { announce, counted, fault, h, labelled, printable, unique } from './dom.js';
import { inParallel, loadTokens } from './shared.js';
import { now } from './time.js';

const day = 86_400;

// cleanUp asks which tokens to delete, shows them, and deletes them.
export function cleanUp(app, done) {
  const box = (label, checked) => {
    const input = h('input', { type: 'checkbox', checked, id: unique('clean'), change: () => show() });
    return { input, line: h('div', { class: 'line' }, input, h('label', { for: input.id }, label)) };
  };
  const expired = box('expired tokens', true);
  const usedUp = box('invite tokens that are used up', true);
  const revoked = box('revoked tokens', false);
  const days = h('input', { type: 'number', min: '0', max: '3650', value: '', inputmode: 'numeric', input: () => show() });
  const preview = h('div', { 'aria-live': 'polite' });
  const act = h('button', { type: 'button', class: 'danger', click: () => perform() }, 'Delete');
  const heading = unique('title');
  const dialog = h('dialog', { 'aria-labelledby': heading, close: () => dialog.remove() },
    h('h2', { id: heading }, 'Clean up'),
    h('fieldset', {}, h('legend', {}, 'Delete'), expired.line, usedUp.line, revoked.line),
    app.tokens.some((t) => t.tracksUse) && labelled('and tokens not used for this many days', days, 'Tokens that were never used count from their creation. Leave it empty to keep them.'),
    preview,
    h('div', { class: 'actions' }, h('button', { type: 'button', click: () => dialog.close() }, 'Cancel'), act));

  const chosen = () => {
    const at = now();
    const wanted = { expired: expired.input.checked, 'used up': usedUp.input.checked, revoked: revoked.input.checked };
    const since = days.value === '' ? 0 : at - Number(days.value) * day;
    return app.tokens.filter((t) => wanted[t.state(at)] || (since && t.tracksUse && Math.max(t.used, t.created) <= since));
  };
  const show = () => {
    const list = chosen();
    preview.replaceChildren(h('p', {}, list.length ? `${counted(list.length, 'token')} would be deleted, for ever:` : 'No token would be deleted.'),
      h('ul', {}, list.slice(0, 6).map((t) => h('li', {}, h('bdi', {}, printable(t.name)))), list.length > 6 && h('li', {}, `and ${(list.length - 6).toLocaleString()} more`)));
    act.disabled = !list.length;
  };
  const perform = async () => {
    const list = chosen();
    act.disabled = true;
    const errors = await inParallel(list, (t) => remove(t.id), (n) => { act.textContent = `${n} of ${list.length}`; });
    await loadTokens(app, { again: true });
    done();
    if (errors.length) preview.replaceChildren(fault(errors[0]));
    else dialog.close();
    announce(`${counted(list.length - errors.length, 'token')} deleted.`);
  };
  document.body.append(dialog);
  show();
  dialog.showModal();
}
