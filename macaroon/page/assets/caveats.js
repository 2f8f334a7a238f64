// The kinds of caveats: how they are entered, checked while typing, and said
// in words. The service checks them again.

import { counted, printable } from './dom.js';
import { fromInput, localText, now, toInput } from './time.js';

const regions = ['Africa', 'Antarctica', 'Asia', 'Europe', 'EU', 'NorthAmerica', 'Oceania', 'SouthAmerica'];
const interfaces = ['rest', 'oneclient', 'graphsync'];
const services = { ozw: 'Onezone', ozp: 'the Onezone panel', opw: 'Oneprovider', opp: 'the Oneprovider panel' };

const items = (text) => text.split(/[\s,]+/).filter(Boolean);
const or = (list) => list.map(printable).join(' or ');

// list returns a kind whose value is a list of texts. problem returns what is
// wrong with an item, or nothing.
function list(kind) {
  return {
    control: 'list',
    read(value) {
      const all = items(value.text);
      if (!all.length) return { problem: `Enter at least one value, such as ${kind.example}` };
      for (const item of all) {
        const problem = kind.problem?.(item);
        if (problem) return { problem: `${printable(item)}: ${problem}` };
      }
      const values = all.map(kind.encode ?? ((item) => item));
      if (!kind.filter) return { caveat: { type: kind.type, whitelist: values } };
      return { caveat: { type: kind.type, filter: value.filter, list: values } };
    },
    write: (caveat) => ({ text: (caveat.whitelist ?? caveat.list).map(kind.decode ?? String).join(', '), filter: caveat.filter }),
    ...kind,
  };
}

function maskProblem(mask) {
  const [address, length, more] = mask.split('/');
  const octets = address.split('.');
  const good = octets.length === 4 && octets.every((o) => /^(0|[1-9]\d{0,2})$/.test(o) && Number(o) < 256);
  if (!good || more !== undefined) return 'write an IPv4 address or block, such as 192.0.2.7 or 192.0.2.0/24';
  if (length !== undefined && !(/^\d{1,2}$/.test(length) && Number(length) <= 32)) return 'the length after the slash is 0 to 32';
  return '';
}

function pathProblem(path) {
  if (!path.startsWith('/')) return 'a path begins with a slash and the name or id of the space';
  const parts = path.slice(1).split('/');
  if (parts.some((p) => p === '' || p === '.' || p === '..')) return 'no part may be empty, "." or "..", and there is no slash at the end';
  return '';
}

const bytesOf = (text) => String.fromCharCode(...new TextEncoder().encode(text));

function pathText(encoded) {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(encoded), (c) => c.charCodeAt(0)));
  } catch {
    return encoded;
  }
}

function entryWords(entry, names) {
  const dash = entry.indexOf('-');
  const [kind, id] = [entry.slice(0, dash), entry.slice(dash + 1)];
  const name = names[kind];
  if (!name) return printable(entry);
  if (id === 'onezone' && kind.startsWith('oz')) return name;
  return id === '*' ? `any ${name.replace(/^the /, '')}` : `${name} ${printable(id)}`;
}

function apiWords(spec) {
  const [service, operation, resource] = spec.split('/');
  const op = { all: 'every operation', get: 'reading', create: 'creating', update: 'changing', delete: 'deleting' }[operation] ?? operation;
  return `${printable(op)} on ${printable(resource ?? spec)} at ${services[service] ?? 'every service'}`;
}

// kinds are all kinds of caveats. words completes "It works ...".
export const kinds = [
  {
    type: 'time', label: 'Expiry', control: 'time', hint: 'The token does not work from this time on.',
    read(value) {
      const validUntil = fromInput(value.text);
      if (validUntil === null) return { problem: 'Choose a date and a time.' };
      return { caveat: { type: 'time', validUntil }, warning: validUntil <= now() ? 'This time has passed, so the token would not work.' : '' };
    },
    write: (caveat) => ({ text: toInput(caveat.validUntil) }),
    words: (caveat) => `until ${localText(caveat.validUntil)}`,
  },
  list({
    type: 'ip', label: 'Addresses', example: '192.0.2.0/24, 198.51.100.7', hint: 'IPv4 addresses and blocks of the clients that may use it.',
    problem: maskProblem, words: (c) => `only from ${or(c.whitelist)}`,
  }),
  list({
    type: 'asn', label: 'Autonomous systems', example: '322, 64500', hint: 'Numbers of the networks that clients must be in.',
    problem: (n) => (/^(0|[1-9]\d*)$/.test(n) && Number(n) < 2 ** 32 ? '' : 'write the number only, such as 64500'),
    encode: Number, words: (c) => `only from the autonomous systems ${or(c.whitelist)}`,
  }),
  list({
    type: 'geo.country', label: 'Countries', example: 'PL, FR', hint: 'Codes of two capital letters.', filter: true,
    problem: (c) => (/^[A-Z]{2}$/.test(c) ? '' : 'write the code of two capital letters, such as PL'),
    words: (c) => `${c.filter === 'blacklist' ? 'not' : 'only'} from ${or(c.list)}`,
  }),
  list({
    type: 'geo.region', label: 'Regions', example: 'Europe, Asia', hint: `${regions.slice(0, -1).join(', ')} or ${regions.at(-1)}.`, filter: true,
    problem: (r) => (regions.includes(r) ? '' : `there is no such region; write ${regions.join(', ')}`),
    words: (c) => `${c.filter === 'blacklist' ? 'not' : 'only'} from ${or(c.list)}`,
  }),
  list({
    type: 'service', label: 'Services', example: 'ozw-onezone, opw-*', hint: 'ozw- (Onezone), opw- (Oneprovider), ozp- or opp- (panels) with an id or *.',
    problem: (s) => (/^(ozw|ozp|opw|opp)-[^/|]+$/.test(s) ? '' : 'write ozw-, ozp-, opw- or opp- with an id, such as opw-*'),
    words: (c) => `only at ${c.whitelist.map((s) => entryWords(s, services)).join(' or ')}`,
  }),
  list({
    type: 'consumer', label: 'Consumers', example: 'usr-42ab, grp-7f, prv-*', hint: 'usr- (user), grp- (member of a group) or prv- (Oneprovider) with an id or *.',
    problem: (s) => (/^(usr|grp|prv)-[^/|]+$/.test(s) ? '' : 'write usr-, grp- or prv- with an id, such as usr-42ab'),
    words: (c) => `only in the hands of ${c.whitelist.map((s) => entryWords(s, { usr: 'the user', grp: 'the group', prv: 'Oneprovider' })).join(' or ')}`,
  }),
  {
    type: 'interface', label: 'Interface', control: 'choice', choices: interfaces, hint: 'rest for scripts, oneclient to mount files, graphsync for web pages.',
    read: (value) => ({ caveat: { type: 'interface', interface: value.text || interfaces[0] } }),
    write: (caveat) => ({ text: caveat.interface }),
    words: (c) => `only by the interface ${printable(c.interface)}`,
  },
  list({
    type: 'api', label: 'Operations', example: 'ozw/get/user.*.*:*', hint: 'Service, operation and resource; "all" and * are wildcards.',
    problem: (s) => (/^(all|ozw|ozp|opw|opp)\/(all|create|get|update|delete)\/[^.|/]+\.[^.|/:]*\.[^.|/:]*(:(\*|private|protected|shared|public|auto))?$/.test(s)
      ? '' : 'write SERVICE/OPERATION/TYPE.ID.ASPECT:SCOPE, such as ozw/get/user.*.*:*'),
    words: (c) => `only for ${c.whitelist.map(apiWords).join(' or ')}`,
  }),
  {
    type: 'data.readonly', label: 'Read only', control: 'none', hint: 'Files may be read and not changed.',
    read: () => ({ caveat: { type: 'data.readonly' } }), write: () => ({}), words: () => 'only to read files, not to change them',
  },
  list({
    type: 'data.path', label: 'Paths', example: '/space-id/results', hint: 'Directories or files, each with what is in it. Spaces and commas separate paths.',
    problem: pathProblem, encode: (p) => btoa(bytesOf(p)), decode: pathText,
    words: (c) => `only for files under ${or(c.whitelist.map(pathText))}`,
  }),
  list({
    type: 'data.objectid', label: 'File ids', example: '000000000010DB4967756964237575696423737061636531',
    hint: 'Directories or files by their ids.', problem: (id) => (/^[0-9A-Fa-f]{36,}$/.test(id) ? '' : 'write the id of a file: 36 hexadecimal digits or more'),
    words: (c) => `only for ${counted(c.whitelist.length, 'file')} or directories named by id`,
  }),
  {
    type: 'scope', label: 'Identity only', control: 'none', hint: 'An access token with this proves who you are and authorizes nothing.',
    read: () => ({ caveat: { scope: 'identityToken' } }), write: () => ({}), words: () => 'only to prove an identity, not for any operation',
  },
];

// kindOf returns the kind of a caveat; undefined for an unknown one.
export function kindOf(caveat) {
  return kinds.find((kind) => kind.type === (caveat.type ?? (caveat.scope ? 'scope' : '')));
}

// words says a caveat in words that complete "It works ...".
export function words(caveat) {
  return kindOf(caveat)?.words(caveat) ?? `only under a condition that this Onezone does not know: ${printable(caveat.text ?? JSON.stringify(caveat))}`;
}

// supported are the types of caveats that the tokens of a class can carry.
export const supported = {
  access: kinds.map((k) => k.type),
  identity: ['time', 'ip', 'asn', 'geo.country', 'geo.region', 'consumer', 'interface'],
  invite: ['time', 'ip', 'asn', 'geo.country', 'geo.region', 'consumer'],
};

// expiryOf returns the earliest end among caveats; null if there is none.
export function expiryOf(caveats) {
  const ends = caveats.filter((c) => c.type === 'time').map((c) => c.validUntil);
  return ends.length ? Math.min(...ends) : null;
}

const year = 366 * 86_400;

// risk says what somebody who finds the token can do. level is high, medium or
// low.
export function risk(tokenClass, caveats) {
  const end = expiryOf(caveats);
  const limits = caveats.filter((c) => c.type !== 'time' && !c.scope);
  const onlyProves = caveats.some((c) => c.scope);
  const what = {
    access: limits.length ? 'use your account' : 'do everything you can',
    identity: 'prove to others that they are you',
    invite: 'accept this invitation',
  }[onlyProves ? 'identity' : tokenClass];
  const until = end === null ? 'for ever' : `until ${localText(end)}`;
  const but = limits.length ? `, but ${limits.map(words).join(', and ')}` : '';
  const lasting = end === null || end > now() + year;
  let level = limits.length ? 'low' : 'medium';
  if (lasting || (tokenClass === 'access' && !limits.length && end > now() + 35 * 86_400)) level = limits.length ? 'medium' : 'high';
  return { level, text: `Anyone who has this text can ${what} ${until}${but}.` };
}
