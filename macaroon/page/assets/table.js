// A table of many rows, of which only those in view are in the document.

import { fill, h } from './dom.js';

const spare = 8; // rows above and below the view

// WindowedTable shows items in rows of one height, which the style sheet sets
// as --row.
export class WindowedTable {
  #items = [];
  #first = -1;
  #rows = new Map(); // by id of the item
  #renderRow;

  constructor({ label, columns, row }) {
    this.#renderRow = row;
    this.above = h('tbody', { class: 'space', 'aria-hidden': 'true' }, h('tr', {}, h('td')));
    this.below = this.above.cloneNode(true);
    this.body = h('tbody');
    this.table = h('table', {}, h('thead', {}, h('tr', {}, columns.map((c) => h('th', { scope: 'col', class: c.class }, c.content ?? c.label)))), this.above, this.body, this.below);
    this.element = h('div', { class: 'window', role: 'region', tabindex: '0', 'aria-label': label, scroll: () => this.render() }, this.table);
    new ResizeObserver(() => this.render()).observe(this.element);
  }

  // show replaces the items and scrolls to the first.
  show(items, { keepPlace = false } = {}) {
    this.#items = items;
    this.#rows.clear();
    this.#first = -1;
    this.table.setAttribute('aria-rowcount', items.length + 1);
    if (!keepPlace) this.element.scrollTop = 0;
    this.render();
  }

  // render puts the rows in view into the document.
  render() {
    const height = parseFloat(getComputedStyle(this.element).getPropertyValue('--row')) || 48;
    const view = Math.ceil((this.element.clientHeight || 600) / height);
    const first = Math.max(0, Math.min(Math.floor(this.element.scrollTop / height) - spare, this.#items.length - view));
    const start = first - (first % spare);
    const end = Math.min(this.#items.length, start + view + 3 * spare);
    if (start === this.#first && end === this.last) return;
    this.#first = start;
    this.last = end;
    const focused = this.body.contains(document.activeElement) ? document.activeElement.closest('tr') : null;
    const part = focused && [...focused.querySelectorAll('a,button,input')].indexOf(document.activeElement);
    const rows = new Map();
    for (let i = start; i < end; i += 1) {
      const item = this.#items[i];
      const row = this.#rows.get(item.id) ?? this.#renderRow(item);
      row.setAttribute('aria-rowindex', i + 2);
      rows.set(item.id, row);
    }
    this.#rows = rows;
    fill(this.body, [...rows.values()]);
    if (focused?.isConnected) focused.querySelectorAll('a,button,input')[part]?.focus({ preventScroll: true });
    this.above.firstChild.firstChild.style.setProperty('height', `${start * height}px`);
    this.below.firstChild.firstChild.style.setProperty('height', `${(this.#items.length - end) * height}px`);
  }

  // each calls a function with each item in view and its row.
  each(visit) {
    for (const item of this.#items.slice(Math.max(0, this.#first), this.last)) visit(item, this.#rows.get(item.id));
  }
}
