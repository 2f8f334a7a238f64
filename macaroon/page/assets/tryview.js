// Requests that are tried with a token before it is handed out: what a caveat
// says to each, and the tightest caveats that let recorded requests through.

import { explain, narrow } from './api.js';
import { words } from './caveats.js';
import { announce, button, fill, foreign, h, labelled } from './dom.js';
import { localText, moment, now } from './time.js';

const month = 30 * 86_400; // that the narrowed copy is proposed to work

const verdicts = { holds: 'holds', doesNotHold: 'does not hold', cannotTell: 'cannot tell' };

// tryView returns the section for a token. propose gets the caveats that narrow
// it, for the user to add.
export function tryView(token, propose) {
  const form = new RequestForm();
  const recorded = [];
  const result = h('div', { role: 'status' });
  const list = h('ul', { class: 'plain' });
  const [explainIt, explainPlace] = button('Explain', { class: 'primary' }, async () => {
    const request = form.read();
    const here = !Object.keys(request).length;
    fill(result, here && h('h3', {}, 'For a request from here, now'), explained(await explain(here ? { token } : { token, request })));
  });
  const [narrowIt, narrowPlace] = button('Propose caveats for the recorded requests', {}, async () => {
    const { caveats } = await narrow({ token, requests: recorded, validUntil: now() + month });
    fill(result, proposed(caveats));
    propose(caveats.map((c) => c.caveat));
    announce(`${caveats.length} caveats are proposed in the part Confine.`);
  });
  narrowIt.hidden = true;
  const record = h('button', { type: 'button', click: () => {
    const request = { time: now(), ...form.read() };
    recorded.push(request);
    list.append(h('li', {}, summary(request)));
    narrowIt.hidden = false;
    announce('The request is recorded.');
  } }, 'Record this request');
  return h('details', { class: 'card' }, h('summary', {}, 'Try it before you hand it out'),
    h('p', { class: 'hint' }, 'Describe a request that the token is for, or leave all of it empty for a request from here. Nothing counts as a use.'),
    form.element, h('div', { class: 'actions' }, explainIt, record, narrowIt), explainPlace, narrowPlace, list, result);
}

// RequestForm is the form for a request. What is left empty is unknown.
class RequestForm {
  constructor() {
    const text = (example) => h('input', { type: 'text', spellcheck: 'false', autocapitalize: 'off', autocomplete: 'off', placeholder: example });
    const choice = (...options) => h('select', {}, h('option', { value: '' }, 'not said'), options.map((o) => h('option', { value: o }, o)));
    this.fields = {
      peerIp: text('192.0.2.7'), interface: choice('rest', 'oneclient', 'graphsync'), service: text('opw-p1'), consumer: text('usr-42ab'),
      operation: choice('get', 'create', 'update', 'delete'), resource: text('space.s1.instance:private'),
      access: choice('read', 'write'), path: text('/space-id/results'),
    };
    const labels = {
      peerIp: 'From the address', interface: 'By the interface', service: 'At the service', consumer: 'In the hands of',
      operation: 'Operation', resource: 'on the resource', access: 'Access to files', path: 'under the path',
    };
    this.element = h('div', { class: 'grid' }, Object.entries(this.fields).map(([key, field]) => labelled(labels[key], field)));
  }

  read() {
    const entries = Object.entries(this.fields).map(([key, field]) => [key, field.value.trim()]);
    return Object.fromEntries(entries.filter(([, value]) => value));
  }
}

function summary({ time, ...request }) {
  const said = Object.entries(request).map(([key, value]) => `${key} ${value}`);
  return foreign(said.length ? said.join(', ') : 'a request of which nothing is said');
}

function explained(answer) {
  return [
    answer.accepted ? h('p', { class: 'good' }, 'The token is accepted for this request.') : h('p', { class: 'bad' }, 'The token is refused. ', foreign(answer.error?.description ?? '')),
    h('ul', { class: 'plain verdicts' },
      answer.checks.filter((c) => !c.passed).map((c) => h('li', { class: 'doesNotHold' }, h('strong', {}, c.check), ': ', foreign(c.reason))),
      answer.caveats.map(explainedCaveat)),
    answer.changes.length > 0 && h('ul', { class: 'plain' }, answer.changes.map((c) => h('li', {}, c.accepted ? 'It is accepted from ' : 'It is refused from ', moment(c.time), ' on.'))),
  ];
}

function explainedCaveat(c) {
  return h('li', { class: c.verdict }, foreign(words(c.caveat)), ': ', h('strong', {}, verdicts[c.verdict] ?? c.verdict), '. Reason: ', foreign(c.reason), '.',
    c.remedy && h('span', { class: 'hint' }, ' To hold: ', foreign(c.remedy), '.'),
    c.added != null && h('span', { class: 'hint' }, ` Added by its owner on ${localText(c.added)}.`));
}

function proposed(caveats) {
  if (!caveats.length) return h('p', {}, 'The requests have nothing in common that a caveat could say.');
  return [h('h3', {}, 'Proposed for Confine below'), h('ul', { class: 'plain' }, caveats.map((c) => h('li', {}, foreign(words(c.caveat)), ': ', foreign(c.reason), '.', h('span', { class: 'hint' }, ' Refused: ', foreign(c.refuses), '.'))))];
}
