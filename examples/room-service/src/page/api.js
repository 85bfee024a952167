// Asks the service: JSON in, JSON out, with the token if one was given.

const TOKEN = "room-service-token";
const TIMEOUT_MS = 15_000;

/** The service wants a token, or another one. */
export class Unauthorized extends Error {}

/** The room is not listed. */
export class NotListed extends Error {}

let clockOffset = 0;

/** The service's time in ms, as far as its answers told. */
export const now = () => Date.now() + clockOffset;

export const token = {
  get: () => sessionStorage.getItem(TOKEN),
  set: (text) => sessionStorage.setItem(TOKEN, text),
  forget: () => sessionStorage.removeItem(TOKEN),
};

/** The headers that say who asks. */
export function headers(more = {}) {
  const mine = token.get();
  return mine ? { ...more, Authorization: `Bearer ${mine}` } : more;
}

/** Asks for one thing. */
export async function ask(path, parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined) query.set(name, value);
  }
  const response = await fetch(`/room/${path}?${query}`, {
    headers: headers(),
    cache: "no-store",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  refuse(response);
  learnTime(response.headers.get("date"));
  let answer;
  try {
    answer = await response.json();
  } catch {
    throw new Error(`it answered ${response.status}, and no JSON`);
  }
  if (answer.code === 1) throw new NotListed(String(answer.message));
  if (answer.code !== 0) throw new Error(String(answer.message ?? response.status));
  return answer;
}

/** Asks for pages until there are as many entries as wanted, or no more. */
export async function askPages(wanted, page) {
  const entries = [];
  let cursor = null;
  do {
    const answer = await page(Math.min(500, wanted - entries.length), cursor);
    entries.push(...answer.entries);
    cursor = answer.next;
  } while (cursor && entries.length < wanted);
  return { entries, next: cursor };
}

/** Throws if the service does not believe who asks. */
export function refuse(response) {
  if (response.status === 401 || response.status === 403) {
    throw new Unauthorized(token.get() ? "The service does not accept this token." : "");
  }
}

// The header has whole seconds: smaller differences are none.
function learnTime(date) {
  const difference = Date.parse(date) - Date.now();
  if (Number.isFinite(difference)) clockOffset = Math.abs(difference) > 2_000 ? difference : 0;
}
