// One token: what it can do, and what its owner can do about it.

import { remove, record, revokeCopy, revokeFamily, update } from './api.js';
import { announce, button, confirm, foreign, h, labelled, printable } from './dom.js';
import { CaveatEditor } from './caveateditor.js';
import { supported } from './caveats.js';
import { badge, bar, caveatList, endOf, facts, loadTokens, useOf } from './shared.js';
import { family, Token } from './tokens.js';
import { moment, now } from './time.js';

// Limits of the tree of a family.
const mostRelatives = 1000;
const mostLevels = 16;

// tokenView returns the view of a token.
export async function tokenView(app, id) {
  const [tokens, fresh] = await Promise.all([loadTokens(app), record(id)]);
  const { token: text, ...rest } = fresh; // the text is shown at its creation only
  const token = new Token(rest);
  const at = tokens.findIndex((t) => t.id === id);
  if (at >= 0) {
    token.rank = tokens[at].rank;
    app.tokens = tokens.with(at, token);
  }
  return new TokenView(app, token).element;
}

class TokenView {
  constructor(app, token) {
    this.app = app;
    this.token = token;
    const at = now();
    this.element = h('article', { class: 'token' },
      h('p', {}, h('a', { href: '#tokens' }, '← All tokens')),
      h('div', { class: 'head' }, h('h1', { tabindex: '-1' }, h('bdi', {}, printable(token.name))), badge(token.state(at))),
      h('div', { class: 'columns' },
        h('section', { class: 'card' }, h('h2', {}, 'What it is'), this.facts(at)),
        h('section', { class: 'card' }, h('h2', {}, 'When it works'), caveatList(token.caveats), this.added())),
      this.actions(),
      token.canTighten && this.tighten(),
      this.family(),
      this.copies(),
      'bait' in token.record && this.bait());
  }

  facts(at) {
    const { token } = this;
    const { usageLimit, usageCount, privileges, custom } = token.record.metadata;
    const metadata = Object.keys(custom ?? {}).length ? foreign(JSON.stringify(custom)) : null;
    return facts([
      ['Type', token.inviteType ? `invite: ${token.inviteType}` : token.class],
      ['Target', token.inviteType && foreign(targetOf(token))],
      ['Ends', h('span', {}, token.expiry === null ? 'never' : [moment(token.expiry), ' ', h('span', { class: 'hint' }, endOf(token, at))], bar(token, at))],
      ['Created', moment(token.created)],
      ['Bait', token.bait && 'every use is reported and refused'],
      ['Last use', token.tracksUse ? (token.lastUse ? useOf(token.lastUse) : 'none recorded') : null],
      ['Uses', usageLimit === undefined ? null : `${usageCount} of ${usageLimit === 'infinity' ? 'any number' : usageLimit}`],
      ['Privileges', privileges && (privileges.length ? privileges.join(', ') : 'none')],
      ['Metadata', metadata],
      ['Id', h('code', {}, foreign(token.id))],
    ]);
  }

  added() {
    const { token } = this;
    if (!token.added.length) return null;
    return [h('h3', {}, 'Added by you after it was issued'), caveatList(token.added, (_, i) => {
      const [loosen, place] = button('Remove', { class: 'link', 'aria-label': `Remove the added caveat ${i + 1}` },
        () => this.editAdded((all) => all.filter((c) => JSON.stringify(c) !== JSON.stringify(token.added[i])), 'The caveat was removed.'));
      return h('span', {}, token.addedAt[i] && h('span', { class: 'hint' }, ' Since ', moment(token.addedAt[i])), ' ', loosen, place);
    })];
  }

  // editAdded changes the list of added caveats. It reads the list again, because
  // it may have changed since it was shown, and an update replaces it.
  async editAdded(edit, done) {
    const { serverCaveats } = await record(this.token.id);
    await update(this.token.id, { serverCaveats: edit(serverCaveats) });
    announce(done);
    await this.reload();
  }

  async reload() {
    await loadTokens(this.app, { again: true });
    const view = await tokenView(this.app, this.token.id);
    if (!this.element.isConnected) return;
    this.element.replaceWith(view);
    view.querySelector('h1').focus({ preventScroll: true });
  }

  actions() {
    const { token } = this;
    const { revoked } = token.record;
    const name = h('input', { type: 'text', value: token.name, maxlength: '128', required: true });
    const renaming = h('form', { hidden: true, class: 'inline', submit: async (event) => {
      event.preventDefault();
      await save.click();
    } });
    const [save, savePlace] = button('Save the name', { class: 'primary' }, async () => {
      await update(token.id, { name: name.value });
      announce('The token was renamed.');
      await this.reload();
    });
    renaming.append(labelled('New name', name), save, savePlace);
    const [toggle, togglePlace] = button(revoked ? 'Restore' : 'Revoke', { class: revoked ? '' : 'danger' }, async () => {
      await update(token.id, { revoked: !revoked });
      announce(revoked ? 'The token works again.' : 'The token is revoked.');
      await this.reload();
    });
    const [del, delPlace] = button('Delete…', { class: 'danger' }, () => this.delete());
    return h('section', { class: 'card actions', 'aria-label': 'Actions' },
      h('button', { type: 'button', click: () => { renaming.hidden = false; name.focus(); name.select(); } }, 'Rename'),
      toggle, del, togglePlace, delPlace, renaming);
  }

  // delete asks what becomes of the tokens that were created with this one.
  async delete() {
    const { token } = this;
    const children = h('select', {}, h('option', { value: 'keep' }, 'go on working'), h('option', { value: 'revoke' }, 'are revoked'), h('option', { value: 'delete' }, 'are deleted, too'));
    const isParent = this.app.tokens.some((t) => t.parent === token.id);
    const agreed = await confirm({
      title: 'Delete this token?', action: 'Delete',
      text: [h('p', {}, h('bdi', {}, printable(token.name)), ' stops working at once. This cannot be undone.'),
        isParent && labelled('Tokens that were created with it', children)],
    });
    if (!agreed) return;
    await remove(token.id, children.value);
    await loadTokens(this.app, { again: true });
    announce('The token was deleted.');
    this.app.go('tokens');
  }

  // bait makes the token a canary, or ends that.
  bait() {
    const kind = h('select', {}, h('option', { value: '' }, 'no'), h('option', { value: 'alarm' }, 'yes: report it and refuse it'),
      h('option', { value: 'revokeFamily' }, 'yes: report it, refuse it and revoke its family'));
    kind.value = this.token.bait ?? '';
    const [save, place] = button('Save', {}, async () => {
      await update(this.token.id, { bait: kind.value || null });
      announce(kind.value ? 'The token is bait: every use is reported and refused.' : 'The token is no bait.');
      await this.reload();
    });
    return h('details', { class: 'card' }, h('summary', {}, 'Use it as bait'),
      labelled('Is every use an alarm?', kind, 'Leave a bait where an intruder looks. Whoever uses it is told that it is revoked.'), h('div', { class: 'actions' }, save), place);
  }

  // tighten adds caveats that the service holds beside those in the token.
  tighten() {
    const editor = new CaveatEditor(() => {}, supported[this.token.class].filter((t) => t !== 'scope'));
    const [act, place] = button('Tighten', { class: 'primary' }, async () => {
      const { caveats, problems } = editor.read();
      if (problems || !caveats.length) throw new Error(problems ? 'Please correct the marked caveats first.' : 'Add a caveat first.');
      await this.editAdded((all) => [...all, ...caveats], 'The token is tightened.');
    });
    return h('section', { class: 'card' }, h('h2', {}, 'Tighten'),
      h('p', { class: 'hint' }, 'New caveats apply to every copy that is already out there, at once, at every replica of this Onezone.'),
      editor.element, h('div', { class: 'actions' }, act), place);
  }

  family() {
    const { root, byID, children } = family(this.app.tokens, this.token);
    if (root === this.token.id && !children.has(root)) return null;
    const at = now();
    let left = mostRelatives;
    const branch = (id, level = 1) => {
      left -= 1;
      const token = byID.get(id);
      const current = id === this.token.id;
      const label = token ? h('bdi', {}, printable(token.name)) : h('span', { class: 'hint' }, `a token without a record (${printable(id)})`);
      const all = children.get(id) ?? [];
      const below = [];
      for (const child of level < mostLevels ? all : []) {
        if (left > 0) below.push(branch(child.id, level + 1));
      }
      if (below.length < all.length) below.push(h('li', { class: 'hint' }, 'and more'));
      return h('li', {}, token && !current ? h('a', { href: `#tokens/${encodeURIComponent(id)}` }, label) : h('strong', current ? { 'aria-current': 'true' } : {}, label),
        token && [' ', badge(token.state(at))], below.length > 0 && h('ul', {}, below));
    };
    const [revoke, place] = button('Revoke it with all it created…', { class: 'danger' }, async () => {
      if (!await confirm({ title: 'Revoke the whole family?', action: 'Revoke', text: h('p', {}, 'This token and every token that was created with it, and with those, stop working at once.') })) return;
      await revokeFamily(this.token.id);
      announce('The family is revoked.');
      await this.reload();
    });
    return h('section', { class: 'card' }, h('h2', {}, 'Family'), h('p', { class: 'hint' }, 'Tokens that were created with other tokens.'),
      byID.get(root)?.parent && h('p', { class: 'hint' }, 'The family begins further up.'),
      h('ul', { class: 'tree' }, branch(root)), h('div', { class: 'actions' }, revoke), place);
  }

  // copies revokes one confined copy.
  copies() {
    const text = h('textarea', { rows: '3', spellcheck: 'false', autocomplete: 'off' });
    const [act, place] = button('Revoke this copy', { class: 'danger' }, async () => {
      await revokeCopy(this.token.id, text.value.trim());
      text.value = '';
      announce('The copy is revoked. The other copies still work.');
    });
    return h('details', { class: 'card' }, h('summary', {}, 'Revoke one confined copy'),
      labelled('Text of the copy', text, 'Only this copy, and those confined from it, stop working. This cannot be undone.'), h('div', { class: 'actions' }, act), place);
  }
}

// targetOf returns what an invite token invites to.
function targetOf(token) {
  const { inviteType, parameters, ...target } = token.record.type.inviteToken;
  return Object.entries(target).map(([key, id]) => `${key} ${id}`).join(', ');
}
