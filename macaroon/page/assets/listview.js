// The table of all tokens.

import { remove, update } from './api.js';
import { announce, confirm, counted, fault, fill, h, printable, unique } from './dom.js';
import { badge, bar, endOf, inParallel, loadTokens } from './shared.js';
import { count, orders, select, states } from './tokens.js';
import { WindowedTable } from './table.js';
import { cleanUp } from './cleanup.js';
import { localText, now, relative, utcText } from './time.js';

const types = { '': 'All types', access: 'Access', identity: 'Identity', invite: 'Invite' };

// listView returns the view of all tokens.
export async function listView(app) {
  await loadTokens(app);
  const view = new ListView(app);
  view.refresh();
  return view.element;
}

class ListView {
  constructor(app) {
    this.app = app;
    this.filter = { text: '', state: '', type: '', order: 'created', unusedSince: 0, ...app.filter };
    this.tracksUse = app.tokens.some((t) => t.tracksUse);
    this.chips = h('div', { class: 'chips', role: 'group', 'aria-label': 'Filter by state' });
    this.summary = h('p', { class: 'summary', role: 'status' });
    this.bulk = h('div', { class: 'bulk', role: 'group', 'aria-label': 'Selected tokens', hidden: true });
    this.errors = h('div');
    this.all = h('input', { type: 'checkbox', 'aria-label': 'Select all shown tokens', change: () => this.selectAll(this.all.checked) });
    this.table = new WindowedTable({
      label: 'Tokens, scrollable',
      columns: [
        { content: this.all, class: 'check' }, { label: 'Name' }, { label: 'State', class: 'state' }, { label: 'Ends' },
        ...(this.tracksUse ? [{ label: 'Last use', class: 'minor' }] : []), { label: 'Created', class: 'minor' },
      ],
      row: (token) => this.row(token),
    });
    this.empty = h('p', { class: 'empty', hidden: true });
    this.element = h('section', { class: 'list' },
      h('div', { class: 'head' }, h('h1', { tabindex: '-1' }, 'Tokens'),
        h('div', { class: 'actions' },
          h('button', { type: 'button', click: () => cleanUp(app, () => this.refresh()) }, 'Clean up…'),
          h('a', { class: 'button primary', href: '#create' }, 'Create a token'))),
      this.chips, this.filters(), this.errors, this.summary, this.bulk, this.table.element, this.empty);
  }

  filters() {
    const search = h('input', { type: 'search', id: unique('search'), value: this.filter.text, placeholder: 'Name or id', input: () => this.change({ text: search.value }) });
    const choice = (label, options, key) => {
      const element = h('select', { id: unique(key), change: () => this.change({ [key]: element.value }) },
        Object.entries(options).map(([value, text]) => h('option', { value }, text)));
      element.value = this.filter[key];
      return h('div', { class: 'field' }, h('label', { for: element.id }, label), element);
    };
    const unused = { 0: 'Any use' };
    for (const days of [30, 90, 365]) unused[now() - days * 86_400] = `Not used for ${days} days`;
    return h('div', { class: 'filters' },
      h('div', { class: 'field grow' }, h('label', { for: search.id }, 'Search'), search),
      choice('Type', types, 'type'),
      this.tracksUse && choice('Use', unused, 'unusedSince'),
      choice('Order', Object.fromEntries(Object.entries(orders).filter(([key]) => key !== 'used' || this.tracksUse).map(([key, o]) => [key, o.label])), 'order'));
  }

  change(part) {
    Object.assign(this.filter, part, part.unusedSince ? { unusedSince: Number(part.unusedSince) } : {});
    this.app.filter = this.filter;
    this.refresh();
  }

  // refresh shows what the filter selects.
  refresh({ keepPlace = false } = {}) {
    const at = now();
    this.at = at;
    const counts = count(this.app.tokens, at);
    fill(this.chips, ['', ...states].filter((s) => !s || counts[s] || this.filter.state === s).map((s) => h('button', {
      type: 'button', class: 'chip', 'aria-pressed': String(this.filter.state === s), click: () => this.change({ state: s }),
    }, h('span', { class: `dot ${(s || 'all').replace(' ', '-')}`, 'aria-hidden': 'true' }), s || 'all', ' ', h('strong', {}, (s ? counts[s] : this.app.tokens.length).toLocaleString()))));
    this.shown = select(this.app.tokens, this.filter, at);
    const ids = new Set(this.app.tokens.map((t) => t.id));
    for (const id of this.app.selected) if (!ids.has(id)) this.app.selected.delete(id);
    this.table.show(this.shown, { keepPlace });
    this.summary.textContent = `${this.shown.length.toLocaleString()} of ${this.app.tokens.length.toLocaleString()} tokens`;
    this.table.element.hidden = !this.shown.length;
    this.empty.hidden = this.shown.length > 0;
    fill(this.empty, this.app.tokens.length ? 'No token fits the filter.' : 'You have no tokens yet. ', !this.app.tokens.length && h('a', { href: '#create' }, 'Create your first token'));
    this.showBulk();
  }

  row(token) {
    const { at } = this;
    const box = h('input', { type: 'checkbox', 'aria-label': `Select ${printable(token.name)}`, checked: this.app.selected.has(token.id), change: () => {
      this.app.selected[box.checked ? 'add' : 'delete'](token.id);
      this.showBulk();
    } });
    const what = token.inviteType || token.class;
    return h('tr', {},
      h('td', { class: 'check' }, box),
      h('td', { class: 'name' }, h('a', { href: `#tokens/${encodeURIComponent(token.id)}` }, h('bdi', {}, printable(token.name))), h('span', { class: 'sub' }, h('span', { class: 'narrow' }, badge(token.state(at)), ' '), what, token.added.length ? ' · tightened' : '')),
      h('td', { class: 'state' }, badge(token.state(at))),
      h('td', { class: 'ends' }, bar(token, at), h('span', token.expiry === null ? {} : { title: `${localText(token.expiry)} (${utcText(token.expiry)})` }, endOf(token, at))),
      this.tracksUse && h('td', { class: 'minor' }, token.used ? h('span', { title: utcText(token.used) }, relative(token.used, at)) : h('span', { class: 'hint' }, 'none')),
      h('td', { class: 'minor' }, h('span', { title: utcText(token.created) }, relative(token.created, at))));
  }

  selectAll(checked) {
    for (const token of this.shown) this.app.selected[checked ? 'add' : 'delete'](token.id);
    this.table.each((token, row) => { row.querySelector('input').checked = checked; });
    this.showBulk();
  }

  chosen() {
    return this.app.tokens.filter((t) => this.app.selected.has(t.id));
  }

  showBulk() {
    const n = this.app.selected.size;
    this.all.checked = n > 0 && this.shown.every((t) => this.app.selected.has(t.id));
    this.all.indeterminate = n > 0 && !this.all.checked;
    this.bulk.hidden = n === 0;
    fill(this.bulk, h('strong', {}, `${n.toLocaleString()} selected`),
      h('button', { type: 'button', click: () => this.revoke() }, 'Revoke'),
      h('button', { type: 'button', class: 'danger', click: () => this.delete() }, 'Delete'),
      h('button', { type: 'button', class: 'link', click: () => this.selectAll(false) || this.clear() }, 'Clear the selection'));
  }

  clear() {
    this.app.selected.clear();
    this.refresh({ keepPlace: true });
  }

  async revoke() {
    const tokens = this.chosen().filter((t) => !t.record.revoked);
    await this.act('Revoke', 'revoked', tokens, 'They stop working at once. You can restore them later.', (t) => update(t.id, { revoked: true }));
  }

  async delete() {
    await this.act('Delete', 'deleted', this.chosen(), 'They stop working at once. This cannot be undone.', (t) => remove(t.id));
  }

  async act(verb, done, tokens, text, action) {
    const names = tokens.slice(0, 5).map((t) => h('li', {}, h('bdi', {}, printable(t.name))));
    const agreed = await confirm({
      title: `${verb} ${counted(tokens.length, 'token')}?`, action: verb,
      text: [h('p', {}, text), h('ul', {}, names, tokens.length > 5 && h('li', {}, `and ${(tokens.length - 5).toLocaleString()} more`))],
    });
    if (!agreed) return;
    const errors = await inParallel(tokens, action, (n) => { this.summary.textContent = `${n} of ${tokens.length} ${done}`; });
    this.app.selected.clear();
    await loadTokens(this.app, { again: true });
    this.refresh({ keepPlace: true });
    fill(this.errors, errors.slice(0, 3).map(fault));
    announce(`${counted(tokens.length - errors.length, 'token')} ${done}.`);
  }
}
