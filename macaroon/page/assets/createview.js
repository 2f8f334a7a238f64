// The form for a new token.

import { createNamed, createTemporary, settings } from './api.js';
import { CaveatEditor } from './caveateditor.js';
import { expiryOf, risk, supported } from './caveats.js';
import { button, counted, fill, h, labelled, printable, unique } from './dom.js';
import { givenView } from './givenview.js';
import { templates } from './templates.js';
import { fromInput, moment, now, toInput } from './time.js';
import { classes } from './tokens.js';

const day = 86_400;
const lifetimes = [[3600, '1 hour'], [day, '1 day'], [7 * day, '7 days'], [30 * day, '30 days'], [90 * day, '90 days'], [365 * day, '1 year']];

// createView returns the templates or, with the id of one, the form.
export function createView(app, id) {
  const template = templates.find((t) => t.id === id);
  return template ? new Form(app, template).element : chooser();
}

function chooser() {
  return h('section', {}, h('h1', { tabindex: '-1' }, 'Create a token'),
    h('p', { class: 'lead' }, 'Choose what it is for. You can change everything in the next step.'),
    h('ul', { class: 'templates' }, templates.map((t) => h('li', {}, h('a', { class: 'card', href: `#create/${t.id}` }, h('strong', {}, t.title), h('span', {}, t.text))))));
}

class Form {
  constructor(app, template) {
    this.app = app;
    this.template = template;
    this.end = new EndField(template.days * day, () => this.changed());
    this.name = h('input', { type: 'text', value: proposedName(template), maxlength: '128', required: true, autocomplete: 'off', input: () => this.changed() });
    this.nameNote = h('p', { class: 'lint wrong', 'aria-live': 'polite' });
    this.type = h('select', { change: () => this.changed() },
      h('option', { value: 'accessToken' }, 'Access: acts in your name'),
      h('option', { value: 'identityToken' }, 'Identity: proves who you are'),
      h('option', { value: 'inviteToken' }, 'Invite: lets somebody join'));
    this.type.value = Object.keys(template.type)[0];
    this.temporary = h('input', { type: 'checkbox', id: unique('temporary'), change: () => this.changed() });
    this.invite = new InviteFields(template, () => this.changed());
    this.editor = new CaveatEditor(() => this.changed());
    this.risk = h('p', { class: 'risk', role: 'status' });
    this.namePart = h('div', {}, labelled('Name', this.name, 'For you, to find the token in the table: 2 to 128 letters, digits, spaces and . _ - ( ).'), this.nameNote);
    this.temporaryPart = h('div', { class: 'line' }, this.temporary, h('label', { for: this.temporary.id }, 'Temporary: without a record in the table. It can only be revoked together with all others.'));
    const [create, place] = button('Create', { class: 'primary', type: 'submit' }, () => this.create());
    this.element = h('form', { novalidate: true, submit: (event) => event.preventDefault() },
      h('p', {}, h('a', { href: '#create' }, '← All templates')),
      h('h1', { tabindex: '-1' }, template.title), h('p', { class: 'lead' }, template.text),
      h('div', { class: 'card' }, this.namePart, labelled('Type', this.type), this.invite.element, this.temporaryPart),
      h('div', { class: 'card' }, h('h2', {}, 'Until when'), this.end.element),
      h('div', { class: 'card' }, h('h2', {}, 'Only where and for what'), this.editor.element),
      this.risk, h('div', { class: 'actions' }, create), place);
    this.editor.set(template.caveats);
  }

  get class() { return classes[this.type.value]; }

  // caveats returns all caveats that the form describes.
  caveats() {
    const { caveats, problems } = this.editor.read();
    const end = this.end.read();
    return { caveats: end === null ? caveats : [{ type: 'time', validUntil: end }, ...caveats], problems };
  }

  changed() {
    if (!this.editor) return;
    this.invite.element.hidden = this.class !== 'invite';
    this.namePart.hidden = this.temporary.checked;
    this.temporaryPart.hidden = this.class === 'invite';
    this.nameNote.textContent = this.temporary.checked ? '' : nameProblem(this.name.value);
    if (this.allowed !== this.class) {
      this.allowed = this.class;
      this.editor.allow(supported[this.class].filter((t) => t !== 'time'));
    }
    const { level, text } = risk(this.class, this.caveats().caveats);
    this.risk.className = `risk ${level}`;
    this.risk.textContent = text;
  }

  async create() {
    const { caveats, problems } = this.caveats();
    const temporary = this.temporary.checked && this.class !== 'invite';
    if (!temporary && nameProblem(this.name.value)) {
      this.name.focus();
      throw new Error(nameProblem(this.name.value));
    }
    if (problems) {
      this.editor.element.querySelector('[aria-invalid="true"], input:placeholder-shown')?.focus();
      throw new Error(`${counted(problems, 'caveat')} must be corrected or removed first.`);
    }
    if (temporary && expiryOf(caveats) === null) throw new Error('A temporary token needs an end.');
    const type = this.class === 'invite' ? this.invite.type() : { [this.type.value]: {} };
    const body = { type, caveats };
    if (!temporary) body.name = this.name.value;
    if (this.class === 'invite') Object.assign(body, this.invite.limits());
    const answer = await (temporary ? createTemporary(body) : createNamed(body));
    this.app.tokens = null;
    const view = givenView({ text: answer.token, id: answer.tokenId, name: body.name, class: this.class, caveats });
    this.element.replaceWith(view);
    view.querySelector('h1').focus();
  }
}

// EndField is the choice of an end, which is always proposed.
class EndField {
  constructor(seconds, changed) {
    this.note = h('p', { class: 'hint', 'aria-live': 'polite' });
    this.choice = h('select', { change: () => this.show(changed) },
      lifetimes.map(([s, label]) => h('option', { value: s }, label)), h('option', { value: 'date' }, 'A date and time…'), h('option', { value: 'never' }, 'Never'));
    this.choice.value = seconds;
    this.date = h('input', { type: 'datetime-local', value: toInput(now() + seconds), input: () => this.show(changed) });
    this.datePart = labelled('Date and time', this.date);
    this.element = h('div', {}, labelled('It ends after', this.choice), this.datePart, this.note);
    this.show(() => {});
  }

  show(changed) {
    this.datePart.hidden = this.choice.value !== 'date';
    const end = this.read();
    if (end === null) fill(this.note, 'It works until you revoke it. An end limits the damage if it leaks.');
    else fill(this.note, end <= now() ? 'This time has passed. ' : '', moment(end));
    changed();
  }

  // read returns the end in Unix seconds; null: none.
  read() {
    switch (this.choice.value) {
      case 'never': return null;
      case 'date': return fromInput(this.date.value);
      default: return now() + Number(this.choice.value);
    }
  }
}

// InviteFields are the fields of invite tokens alone.
class InviteFields {
  constructor(template, changed) {
    this.changed = changed;
    this.choice = h('select', { change: () => this.show() }, settings.invitations.map((i) => h('option', { value: i.type }, invitationWords(i.type))));
    this.choice.value = template.type.inviteToken?.inviteType ?? settings.invitations[0].type;
    this.target = h('input', { type: 'text', spellcheck: 'false', autocomplete: 'off' });
    this.limit = h('input', { type: 'number', min: '1', step: '1', value: template.usageLimit ?? '', inputmode: 'numeric' });
    this.targetPart = labelled('Id of what it invites to', this.target);
    this.boxes = h('div', { class: 'privileges' });
    this.privilegesPart = h('fieldset', {}, h('legend', {}, 'Privileges of the new member'), this.boxes);
    this.element = h('div', {}, labelled('Invitation', this.choice), this.targetPart,
      labelled('How often it can be used', this.limit, 'Leave it empty for any number of times.'), this.privilegesPart);
    this.show();
  }

  get invitation() { return settings.invitations.find((i) => i.type === this.choice.value); }

  show() {
    const { target, privileges, defaults } = this.invitation;
    this.targetPart.querySelector('label').textContent = `Id of the ${target.replace(/Id$/, '').replace(/([A-Z])/g, ' $1').toLowerCase()}`;
    this.privilegesPart.hidden = !privileges;
    const byDefault = (name) => Number(defaults.includes(name));
    fill(this.boxes, (privileges ?? []).toSorted((a, b) => byDefault(b) - byDefault(a)).map((name) => {
      const id = unique('privilege');
      return h('div', { class: 'line' }, h('input', { type: 'checkbox', id, value: name, checked: defaults.includes(name) }), h('label', { for: id }, name));
    }));
    this.changed();
  }

  type() {
    const id = this.target.value.trim();
    if (!id) {
      this.target.focus();
      throw new Error('Enter the id of what the token invites to.');
    }
    return { inviteToken: { inviteType: this.choice.value, [this.invitation.target]: id } };
  }

  limits() {
    const { privileges, defaults } = this.invitation;
    const result = { usageLimit: this.limit.value === '' ? 'infinity' : Number(this.limit.value) };
    if (privileges) {
      const chosen = [...this.boxes.querySelectorAll('input:checked')].map((box) => box.value).sort();
      if (chosen.join() !== defaults.join()) result.privileges = chosen; // setting them is a right of its own
    }
    return result;
  }
}

// invitationWords says a type of invite tokens in words.
function invitationWords(type) {
  const join = /^(user|group|space|harvester)Join(\w+)$/.exec(type);
  if (join) return `A ${join[1]} joins ${article(join[2].replace('Atm', 'Automation '))}`;
  return { supportSpace: 'A Oneprovider supports a space', registerOneprovider: 'A new Oneprovider is registered' }[type] ?? type;
}

const article = (noun) => `${/^a/i.test(noun) ? 'an' : 'a'} ${noun.toLowerCase()}`;

function proposedName(template) {
  const time = toInput(now()).replace('T', ' ').replace(':', '.');
  return `${template.id === 'custom' ? 'Token' : template.title} ${time}`;
}

const edge = '[\\p{L}\\p{N}_()]';
const nameForm = new RegExp(`^${edge}[\\p{L}\\p{N}_() .-]{0,126}${edge}$`, 'u');

function nameProblem(name) {
  if (nameForm.test(name)) return '';
  return name.length < 2 ? 'A name has at least two characters.' : `${printable(name.slice(0, 30))} is not a name: use letters, digits, spaces and . _ - ( ), and begin and end with a letter, digit, _ or parenthesis.`;
}
