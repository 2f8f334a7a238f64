// Any token that is pasted: what it says, whether it works, and a narrower copy.

import { confine, examine, explain, isMissing, verify } from './api.js';
import { CaveatEditor } from './caveateditor.js';
import { supported, words } from './caveats.js';
import { announce, button, fault, fill, foreign, h, labelled } from './dom.js';
import { givenView } from './givenview.js';
import { caveatList, facts } from './shared.js';
import { duration, moment } from './time.js';
import { classes } from './tokens.js';

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
      h('div', { class: 'actions' }, check, explanation(token)), checkPlace, outcome),
    confining(token, tokenClass, said.caveats),
  ];
}

// explanation says for each caveat whether it holds.
function explanation(token) {
  const result = h('div', { role: 'status' });
  const [act, place] = button('Explain each caveat', {}, async () => {
    try {
      fill(result, explained(await explain({ token })));
    } catch (error) {
      if (!isMissing(error)) throw error;
      throw new Error('This Onezone does not explain tokens.');
    }
  });
  return [act, place, result];
}

const verdicts = { holds: 'holds', doesNotHold: 'does not hold', cannotTell: 'cannot tell' };

function explained(answer) {
  const failed = (answer?.checks ?? []).filter((c) => !c.passed);
  return [h('h3', {}, 'For a request from here, now'),
    h('p', {}, answer?.accepted ? 'The token is accepted.' : 'The token is refused.'),
    failed.length > 0 && h('ul', { class: 'plain verdicts' }, failed.map((c) => h('li', { class: 'doesNotHold' }, foreign(c.reason)))),
    h('ul', { class: 'plain verdicts' }, (answer?.caveats ?? []).map(explainedCaveat)),
    (answer?.changes ?? []).map((c) => h('p', {}, c.accepted ? 'Accepted from ' : 'Refused from ', moment(c.time)))];
}

function explainedCaveat(c) {
  const hints = [c.reason, c.remedy].filter(Boolean);
  return h('li', { class: c.verdict }, h('strong', {}, verdicts[c.verdict] ?? String(c.verdict)), ': ', foreign(c.text ?? words(c.caveat ?? {})),
    hints.map((hint) => h('span', { class: 'hint' }, ' ', foreign(hint))),
    c.added && h('span', { class: 'hint' }, ' added by the owner at ', moment(c.added)));
}

// confining makes a copy with more caveats, and shows what changed.
function confining(token, tokenClass, before) {
  const editor = new CaveatEditor(() => {}, supported[tokenClass]);
  const section = h('section', { class: 'card' });
  const [act, place] = button('Make a narrower copy', {}, async () => {
    const { caveats, problems } = editor.read();
    if (problems || !caveats.length) throw new Error(problems ? 'Please correct the marked caveats first.' : 'Add a caveat first.');
    const copy = (await confine(token, caveats)).token;
    const after = (await examine(copy)).caveats;
    fill(section, h('h2', {}, 'What changed'),
      h('p', {}, `The copy has ${after.length} caveat${after.length === 1 ? '' : 's'}, the token has ${before.length}. The token itself is unchanged.`),
      h('ul', { class: 'plain' }, after.map((c, i) => h('li', {}, i < before.length ? 'as before: ' : h('ins', {}, 'new: '), foreign(words(c))))));
    const given = givenView({ text: copy, class: tokenClass, caveats: after });
    section.after(given);
    announce('The copy is made.');
    given.querySelector('h1').focus();
  });
  fill(section, h('h2', {}, 'Confine'), h('p', { class: 'hint' }, 'A copy with more caveats can do less. Nobody can remove them again.'), editor.element, h('div', { class: 'actions' }, act), place);
  return section;
}
