// What the page knows about a token, from its record.

import { expiryOf } from './caveats.js';

const soon = 7 * 86_400;

// classes are the classes of tokens by the member of their type.
export const classes = { accessToken: 'access', identityToken: 'identity', inviteToken: 'invite' };

// Token is a record with what the table shows of it.
export class Token {
  constructor(record) {
    this.record = record;
    this.id = record.id;
    this.name = record.name;
    const member = Object.keys(record.type)[0];
    this.class = classes[member] ?? 'access';
    this.inviteType = record.type.inviteToken?.inviteType ?? '';
    this.created = record.metadata.creationTime;
    this.caveats = record.caveats;
    this.added = record.serverCaveats ?? []; // by the owner, after the token was issued
    this.addedAt = record.serverCaveatsAdded ?? []; // Unix seconds
    this.bait = record.bait ?? null;
    this.canTighten = 'serverCaveats' in record;
    this.expiry = expiryOf([...this.caveats, ...this.added]);
    this.parent = record.parentTokenId ?? '';
    this.tracksUse = 'lastUse' in record;
    this.lastUse = record.lastUse ?? null;
    this.rank = 0; // in the order of names
    this.key = `${this.name}\n${this.id}\n${this.inviteType}`.toLowerCase();
  }

  // state returns active, expiring (within a week), expired, revoked or used up.
  state(at) {
    const { usageLimit, usageCount } = this.record.metadata;
    if (this.record.revoked) return 'revoked';
    if (this.expiry !== null && this.expiry <= at) return 'expired';
    if (Number.isInteger(usageLimit) && usageCount >= usageLimit) return 'used up';
    if (this.expiry !== null && this.expiry - at <= soon) return 'expiring';
    return 'active';
  }

  // used returns when the token was last used; 0: never, or not known.
  get used() { return this.lastUse?.time ?? 0; }

  // left returns the part of the lifetime that is left, from 0 to 1.
  left(at) {
    if (this.expiry === null) return 1;
    return Math.max(0, Math.min(1, (this.expiry - at) / Math.max(1, this.expiry - this.created)));
  }
}

// tokensOf returns the tokens of records. Their names are compared only here, so
// that a filter is quick.
export function tokensOf(records) {
  const tokens = records.map((record) => new Token(record));
  [...tokens].sort((a, b) => collator.compare(a.name, b.name)).forEach((token, rank) => { token.rank = rank; });
  return tokens;
}

export const states = ['active', 'expiring', 'expired', 'used up', 'revoked'];

// count returns how many tokens are in each state.
export function count(tokens, at) {
  const counts = Object.fromEntries(states.map((s) => [s, 0]));
  for (const token of tokens) counts[token.state(at)] += 1;
  return counts;
}

const collator = new Intl.Collator();
const byName = (a, b) => a.rank - b.rank;
const never = Number.MAX_SAFE_INTEGER;

// orders are the orders of the table.
export const orders = {
  created: { label: 'Newest first', compare: (a, b) => b.created - a.created || byName(a, b) },
  expiry: { label: 'Ends soonest', compare: (a, b) => (a.expiry ?? never) - (b.expiry ?? never) || byName(a, b) },
  used: { label: 'Used last', compare: (a, b) => b.used - a.used || byName(a, b) },
  name: { label: 'Name', compare: byName },
};

const sorted = new WeakMap(); // lists of tokens in each order

function inOrder(tokens, order) {
  if (!sorted.has(tokens)) sorted.set(tokens, {});
  return sorted.get(tokens)[order] ??= tokens.toSorted(orders[order].compare);
}

// select returns the tokens that a filter shows, in its order.
export function select(tokens, { text = '', state = '', type = '', unusedSince = 0, order = 'created' }, at) {
  const wanted = text.trim().toLowerCase();
  return inOrder(tokens, order).filter((t) => (!wanted || t.key.includes(wanted))
    && (!type || t.class === type)
    && (!state || t.state(at) === state)
    && (!unusedSince || (t.tracksUse && t.used < unusedSince && t.created < unusedSince)));
}

// above is how many levels of a family above a token are shown.
const above = 8;

// family returns the tree around a token: its root, and the children of each
// token by id. The root may have no record, or, in a deep family, a parent.
export function family(tokens, token) {
  const byID = new Map(tokens.map((t) => [t.id, t]));
  const children = new Map();
  for (const t of tokens.toSorted((a, b) => a.created - b.created || byName(a, b))) {
    if (!t.parent) continue;
    if (!children.has(t.parent)) children.set(t.parent, []);
    children.get(t.parent).push(t);
  }
  let root = token.id;
  for (let level = 0; level < above && byID.get(root)?.parent; level++) root = byID.get(root).parent;
  return { root, byID, children };
}
