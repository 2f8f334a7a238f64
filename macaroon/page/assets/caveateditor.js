// The list of caveats that a user enters, with a lint while typing.

import { fill, h, labelled, unique } from './dom.js';
import { kindOf, kinds, supported } from './caveats.js';

// CaveatEditor is a part of a form. changed is called after every change.
export class CaveatEditor {
  #rows = [];
  #changed;
  #allowed;

  constructor(changed = () => {}, allowed = supported.access) {
    this.#changed = changed;
    this.list = h('div', { class: 'caveats' });
    this.select = h('select', { id: unique('kind') });
    this.adder = h('div', { class: 'adder' },
      h('label', { for: this.select.id }, 'Add a caveat'), this.select,
      h('button', { type: 'button', click: () => this.add({ kind: this.select.value }).focus() }, 'Add'));
    this.element = h('div', {}, this.list, this.adder);
    this.allow(allowed);
  }

  // allow sets the types of caveats that can be added.
  allow(types) {
    this.#allowed = types;
    fill(this.select, kinds.filter((k) => types.includes(k.type)).map((k) => h('option', { value: k.type }, k.label)));
    this.#rows.forEach((row) => row.lint());
  }

  // set replaces all caveats.
  set(caveats) {
    this.#rows = [];
    fill(this.list);
    for (const caveat of caveats) this.add({ caveat });
    this.#changed();
  }

  // add adds a caveat, and returns the row.
  add({ kind, caveat }) {
    const type = caveat ? kindOf(caveat) : kinds.find((k) => k.type === kind);
    const row = new Row(type, caveat, (removed) => {
      if (removed) this.#remove(row);
      this.#changed();
    }, () => this.#allowed);
    this.#rows.push(row);
    this.list.append(row.element);
    row.lint();
    this.#changed();
    return row;
  }

  #remove(row) {
    const at = this.#rows.indexOf(row);
    this.#rows.splice(at, 1);
    row.element.remove();
    (this.#rows[Math.min(at, this.#rows.length - 1)] ?? { focus: () => this.select.focus() }).focus();
  }

  // read returns the caveats, or says how many of them are wrong.
  read() {
    const results = this.#rows.map((row) => row.read());
    return { caveats: results.map((r) => r.caveat).filter(Boolean), problems: results.filter((r) => r.problem).length };
  }
}

// Row is one caveat.
class Row {
  constructor(kind, caveat, changed, allowed) {
    this.kind = kind;
    this.allowed = allowed;
    const value = caveat ? kind.write(caveat) : { text: '', filter: 'whitelist' };
    const input = () => { this.lint(); changed(false); };
    this.note = h('p', { class: 'lint', id: unique('lint'), 'aria-live': 'polite' });
    this.control = control(kind, value, input);
    if (kind.filter) {
      this.filter = h('select', { 'aria-label': `${kind.label}: only or except`, change: input },
        h('option', { value: 'whitelist' }, 'Only'), h('option', { value: 'blacklist' }, 'All except'));
      this.filter.value = value.filter ?? 'whitelist';
    }
    this.removal = h('button', { type: 'button', class: 'link', 'aria-label': `Remove the caveat ${kind.label}`, click: () => changed(true) }, 'Remove');
    const field = this.control ? labelled(kind.label, this.control, hint(kind)) : h('div', { class: 'field' }, h('strong', {}, kind.label), h('p', { class: 'hint' }, kind.hint));
    this.control?.setAttribute('aria-describedby', `${this.control.getAttribute('aria-describedby') ?? ''} ${this.note.id}`.trim());
    if (this.filter) field.insertBefore(this.filter, this.control);
    this.element = h('div', { class: 'caveat' }, field, this.note, this.removal);
  }

  focus() {
    (this.control ?? this.removal).focus();
  }

  read() {
    return this.kind.read({ text: this.control?.value.trim() ?? '', filter: this.filter?.value });
  }

  // lint says what is wrong. An empty field is only told when it is read.
  lint() {
    const { problem = '', warning = '' } = this.read();
    const foreign = this.allowed().includes(this.kind.type) ? '' : 'Tokens of this type cannot carry this caveat.';
    const empty = this.control && !this.control.value;
    this.note.textContent = foreign || (empty ? '' : problem) || warning;
    this.note.classList.toggle('wrong', Boolean(foreign || (problem && !empty)));
    this.control?.setAttribute('aria-invalid', String(Boolean(problem && !empty)));
  }
}

function hint(kind) {
  return kind.example ? `${kind.hint} Example: ${kind.example}` : kind.hint;
}

function control(kind, value, input) {
  switch (kind.control) {
    case 'time':
      return h('input', { type: 'datetime-local', value: value.text, input });
    case 'choice': {
      const select = h('select', { change: input }, kind.choices.map((c) => h('option', { value: c }, c)));
      select.value = value.text || kind.choices[0];
      return select;
    }
    case 'list':
      return h('input', { type: 'text', value: value.text, spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', input });
    default:
      return null;
  }
}
