// Calls of the token API. The log-in token is in a variable of this module and
// nowhere else: it ends with the tab.

const base = new URL('..', import.meta.url);
const settings = await (await fetch(new URL('page/settings.json', base), { credentials: 'omit' })).json();
const api = new URL(`${settings.api}/`, base);

let logIn = ''; // the log-in token; '': nobody is logged in
let onExpired = () => {};

// Failure is an error that the API answered.
export class Failure extends Error {
  constructor(status, error) {
    // The reason of a refused log-in, without "the given authentication is not valid".
    super(error?.details?.authError?.description ?? error?.description ?? fallback(status));
    this.status = status;
    this.id = error?.id ?? '';
    this.details = error?.details ?? {};
  }
}

function fallback(status) {
  return status ? `The service answered with the status ${status}.` : 'The service cannot be reached. Check the connection and try again.';
}

export { settings };
export const apiURL = (path) => new URL(path.replace(/^\//, ''), api).href;
export const pageURL = (path) => new URL(path, base).href;

// setLogIn sets the log-in token, and what to do when it is not accepted.
export function setLogIn(token, expired = () => {}) {
  logIn = token;
  onExpired = expired;
}

// send sends a request. Cookies and passwords that the browser remembers are
// never part of it.
async function send(url, { method = 'GET', body, headers = {} } = {}) {
  let response;
  try {
    response = await fetch(url, {
      method,
      headers: { Accept: 'application/json', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'omit', cache: 'no-store', redirect: 'error', referrerPolicy: 'no-referrer',
    });
  } catch {
    throw new Failure(0);
  }
  const text = await response.text();
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch { /* an answer of a proxy; the status says enough */ }
  if (!response.ok) throw new Failure(response.status, answer?.error);
  return answer;
}

// call calls a route of the API as the user who is logged in.
export async function call(method, path, body) {
  try {
    return await send(apiURL(path), { method, body, headers: logIn ? { 'X-Auth-Token': logIn } : {} });
  } catch (error) {
    if (error.status === 401 && logIn) onExpired(error);
    throw error;
  }
}

// logInWith exchanges credentials for a log-in token.
export const logInWith = (headers) => send(pageURL('page/log_in'), { method: 'POST', body: {}, headers });

// basic returns the header for a user name and password.
export function basic(username, password) {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return { Authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` };
}

const one = (id) => `/tokens/named/${encodeURIComponent(id)}`;

export const currentUser = () => call('GET', '/user');
export const records = async () => (await call('GET', '/user/tokens/records')).tokens;
export const record = (id) => call('GET', one(id));
export const update = (id, change) => call('PATCH', one(id), change);
export const remove = (id, children = 'keep') => call('DELETE', `${one(id)}?children=${children}`);
export const createNamed = (body) => call('POST', '/user/tokens/named', body);
export const createTemporary = (body) => call('POST', '/user/tokens/temporary', body);
export const revokeTemporary = () => call('DELETE', '/user/tokens/temporary');
export const revokeFamily = (id) => call('POST', `${one(id)}/revoke_family`, {});
export const revokeCopy = (id, token) => call('POST', `${one(id)}/revoke_copy`, { token });
export const examine = (token) => call('POST', '/tokens/examine', { token });
export const confine = (token, caveats) => call('POST', '/tokens/confine', { token, caveats });
export const explain = (body) => call('POST', '/tokens/explain', body);
export const narrow = (body) => call('POST', '/tokens/narrow', body);
export const verify = (kind, token) => call('POST', `/tokens/verify_${kind}_token`, { token });
