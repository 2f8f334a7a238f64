// Elements of the page. Text from tokens and names is set as text, never as
// markup, and is isolated from the direction of the text around it.

// h returns a new element. Attributes with a function are listeners, those
// that are true have no value, and those that are null, undefined or false are
// left out. Children are nodes or texts.
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (name === 'value') element.value = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child != null && child !== false) element.append(child);
  }
}

// fill replaces the content of an element.
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/gu;

// printable returns a text in which characters that change the direction of a
// text, or that are not visible, are escapes such as \u{202e}.
export function printable(text) {
  return String(text).replace(invisible, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}

const longest = 240; // characters of a foreign text that are shown at first

// foreign returns an element with a text that other people chose. If it is
// long, the rest is shown on demand.
export function foreign(text) {
  const whole = printable(text);
  if (whole.length <= longest) return h('bdi', {}, whole);
  const shown = h('bdi', {}, `${whole.slice(0, longest)}…`);
  const more = h('button', { type: 'button', class: 'link', click: () => {
    shown.textContent = whole;
    more.remove();
  } }, `Show all ${whole.length.toLocaleString()} characters`);
  return h('span', { class: 'foreign' }, shown, ' ', more);
}

// counted returns a number with its noun.
export function counted(n, noun) {
  return `${n.toLocaleString()} ${noun}${n === 1 ? '' : 's'}`;
}

// announce tells users of screen readers what happened, and shows it for a
// while.
export function announce(text) {
  const line = document.getElementById('status');
  line.textContent = text;
  line.hidden = false;
  clearTimeout(announce.timer);
  announce.timer = setTimeout(() => { line.hidden = true; }, 4000);
}

// fault returns an element for an error, which screen readers read at once.
export function fault(error) {
  return h('p', { class: 'fault', role: 'alert' }, foreign(error.message ?? String(error)));
}

// button returns a button that ignores clicks while its action runs, and a place
// for the error of the action. It is not disabled, which would lose the focus.
export function button(label, attributes, action) {
  const place = h('span', { class: 'fault-place' });
  const element = h('button', { type: 'button', ...attributes, click: async () => {
    if (element.ariaBusy === 'true') return;
    element.ariaBusy = 'true';
    place.replaceChildren();
    try {
      await action(element);
    } catch (error) {
      place.append(fault(error));
    } finally {
      element.ariaBusy = 'false';
    }
  } }, label);
  return [element, place];
}

let ids = 0;

// unique returns an id for an element.
export function unique(prefix = 'e') {
  ids += 1;
  return `${prefix}-${ids}`;
}

// labelled returns a field with its label and, below, a hint.
export function labelled(label, control, hint) {
  control.id ||= unique('field');
  const parts = [h('label', { for: control.id }, label), control];
  if (hint) {
    const id = unique('hint');
    control.setAttribute('aria-describedby', id);
    parts.push(h('p', { class: 'hint', id }, hint));
  }
  return h('div', { class: 'field' }, parts);
}

// confirm asks before something that cannot be undone. The promise is true if
// the user agreed.
export function confirm({ title, text, action, danger = true }) {
  return new Promise((resolve) => {
    const heading = unique('title');
    const opener = document.activeElement;
    const dialog = h('dialog', { 'aria-labelledby': heading, close: () => {
      dialog.remove();
      opener.focus();
      resolve(dialog.returnValue === 'yes');
    } },
    h('h2', { id: heading }, title),
    text,
    h('div', { class: 'actions' },
      h('button', { type: 'button', click: () => dialog.close('no') }, 'Cancel'),
      h('button', { type: 'button', class: danger ? 'danger' : 'primary', click: () => dialog.close('yes') }, action)));
    document.body.append(dialog);
    dialog.showModal();
  });
}

// copyText copies a text to the clipboard.
export async function copyText(text, what) {
  await navigator.clipboard.writeText(text);
  announce(`${what} copied.`);
}
