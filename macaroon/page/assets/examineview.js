// Any token that is pasted: what it says, whether it works, and a narrower copy.

import { confine, examine, verify } from './api.js';
import { CaveatEditor } from './caveateditor.js';
import { supported, words } from './caveats.js';
import { announce, button, counted, fault, fill, foreign, h, labelled } from './dom.js';
import { givenView } from './givenview.js';
import { caveatList, facts } from './shared.js';
import { duration } from './time.js';
import { classes } from './tokens.js';
import { tryView } from './tryview.js';

// examineView returns the view for tokens that are pasted.
export function examineView() {
  const text = h('textarea', { rows: '4', spellcheck: 'false', autocomplete: 'off', autocapitalize: 'off', class: 'secret', input: () => show() });
  const place = h('div', { 'aria-live': 'polite' });
  let turn = 0;
  const show = async () => {
    const token = text.value.trim();
    const mine = ++turn;
    if (!token) return fill(place);
    try {
      const said = await examine(token);
      if (mine === turn) fill(place, examined(token, said));
    } catch (error) {
      if (mine === turn) fill(place, fault(error));
    }
    return undefined;
  };
  return h('section', {}, h('h1', { tabindex: '-1' }, 'Examine a token'),
    h('p', { class: 'lead' }, 'Paste a token to see what it says, whether it works, and to make a narrower copy.'),
    h('div', { class: 'card' }, labelled('Text of a token', text)), place);
}

function examined(token, said) {
  const member = Object.keys(said.type)[0];
  const tokenClass = classes[member];
  const outcome = h('div', { role: 'status' });
  const confining = new Confining(token, tokenClass, said.caveats);
  const [check, checkPlace] = button('Does it work now?', { class: 'primary' }, async () => {
    try {
      const { subject, ttl } = await verify(tokenClass, token);
      fill(outcome, h('p', { class: 'good' }, `Yes. It acts for ${subject.type} `, foreign(subject.id), ttl == null ? ' and has no end.' : ` and ends in ${duration(ttl)}.`));
    } catch (error) {
      if (!error.status || error.status >= 500) throw error;
      fill(outcome, h('p', { class: 'bad' }, 'No. ', foreign(error.message)));
    }
  });
  return [
    h('section', { class: 'card' }, h('h2', {}, 'What it says'),
      h('p', { class: 'hint' }, 'Until it is checked, these are claims: anybody can write such a text.'),
      facts([
        ['Type', said.type.inviteToken ? `invite: ${said.type.inviteToken.inviteType}` : tokenClass],
        ['Issued by', foreign(said.onezoneDomain)],
        ['Acts for', h('span', {}, `${said.subject.type} `, foreign(said.subject.id ?? ''))],
        ['Persistence', said.persistence], ['Id', h('code', {}, foreign(said.id))],
      ]),
      h('h3', {}, 'When it works'), caveatList(said.caveats),
      h('div', { class: 'actions' }, check), checkPlace, outcome),
    tryView(token, (caveats) => confining.editor.set(caveats)),
    confining.element,
  ];
}

// Confining makes a copy with more caveats, and shows what changed.
class Confining {
  constructor(token, tokenClass, before) {
    Object.assign(this, { token, tokenClass, before });
    this.editor = new CaveatEditor(() => {}, supported[tokenClass]);
    const [act, place] = button('Make a narrower copy', {}, () => this.confine());
    this.element = h('section', { class: 'card' }, h('h2', {}, 'Confine'),
      h('p', { class: 'hint' }, 'A copy with more caveats can do less. Nobody can remove them again.'), this.editor.element, h('div', { class: 'actions' }, act), place);
  }

  async confine() {
    const { caveats, problems } = this.editor.read();
    if (problems || !caveats.length) throw new Error(problems ? 'Please correct the marked caveats first.' : 'Add a caveat first.');
    const copy = (await confine(this.token, caveats)).token;
    const after = (await examine(copy)).caveats;
    const { length } = this.before;
    fill(this.element, h('h2', {}, 'What changed'),
      h('p', {}, `The copy has ${counted(after.length, 'caveat')}, the token has ${length}. The token itself is unchanged.`),
      h('ul', { class: 'plain' }, after.map((c, i) => h('li', {}, i < length ? 'as before: ' : h('ins', {}, 'new: '), foreign(words(c))))));
    const given = givenView({ text: copy, class: this.tokenClass, caveats: after });
    this.element.after(given);
    announce('The copy is made.');
    given.querySelector('h1').focus();
  }
}
