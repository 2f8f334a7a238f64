// Times and durations in words. Times are Unix seconds.

import { h } from './dom.js';

const local = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const zone = new Intl.DateTimeFormat(undefined, { timeZoneName: 'short' });
const latest = 8.64e12; // seconds that a Date can hold

export const now = () => Math.floor(Date.now() / 1000);

function zoneOf(date) {
  return zone.formatToParts(date).find((part) => part.type === 'timeZoneName')?.value ?? '';
}

// localText returns a time in the zone of the reader.
export function localText(seconds) {
  if (!Number.isFinite(seconds) || Math.abs(seconds) > latest) return 'the end of time';
  const date = new Date(seconds * 1000);
  return `${local.format(date)} ${zoneOf(date)}`;
}

// utcText returns a time in UTC.
export function utcText(seconds) {
  if (!Number.isFinite(seconds) || Math.abs(seconds) > latest) return '';
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

// moment returns an element with a time in the zone of the reader and in UTC.
export function moment(seconds) {
  const utc = utcText(seconds);
  if (!utc) return h('span', {}, localText(seconds));
  return h('time', { datetime: new Date(seconds * 1000).toISOString() }, localText(seconds), ' ', h('span', { class: 'utc' }, `(${utc})`));
}

const day = 86_400;

// units are the units of durations: name, seconds, and from how many seconds on
// the unit is used.
const units = [['year', 365.25 * day, 550 * day], ['month', 30.4375 * day, 100 * day], ['day', day, 1.5 * day], ['hour', 3600, 5400], ['minute', 60, 59]];

// duration returns seconds in a unit that leaves a small number.
export function duration(seconds) {
  for (const [unit, size, from] of units) {
    const count = Math.round(Math.abs(seconds) / size);
    if (Math.abs(seconds) >= from) return `${count} ${unit}${count > 1 ? 's' : ''}`;
  }
  return 'less than a minute';
}

// relative returns a time as the distance from now.
export function relative(seconds, at = now()) {
  return seconds > at ? `in ${duration(seconds - at)}` : `${duration(at - seconds)} ago`;
}

// toInput and fromInput convert between Unix seconds and the value of a field
// for a local date and time.
export function toInput(seconds) {
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function fromInput(text) {
  const time = new Date(text).getTime();
  return text && Number.isFinite(time) ? Math.floor(time / 1000) : null;
}
