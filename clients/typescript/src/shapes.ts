/**
 * What answers of the server look like, as far as this library relies on it. A network's sign-in page or a proxy may
 * answer anything with success; that must not be taken for the server's word.
 */
type Members = Record<string, unknown>;

function has(value: unknown, types: Record<string, string>): value is Members {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(types).every(([name, type]) => typeof (value as Members)[name] === type);
}

function each(values: unknown, types: Record<string, string>): boolean {
  return Array.isArray(values) && values.every((value) => has(value, types));
}

export function isAccount(body: unknown): boolean {
  return has(body, { account_id: 'string', kind: 'string' });
}

export function isTokens(body: unknown): boolean {
  return has(body, { access_token: 'string', refresh_token: 'string', expires_in: 'number', account_id: 'string' });
}

/** Where a cookie is set there is no body, and a second factor may be wanted first. */
export function isSignIn(body: unknown): boolean {
  return body === null || isTokens(body) || has(body, { mfa_required: 'boolean' });
}

export function isDelta(body: unknown): boolean {
  if (!has(body, { from: 'string', to: 'string', has_more: 'boolean' })) return false;
  return each(body['changes'], { kind: 'string', id: 'string', rev: 'number' });
}

export function isFavouritePage(body: unknown): boolean {
  if (!has(body, { cursor: 'string' }) || (body['next'] !== null && typeof body['next'] !== 'string')) return false;
  return each(body['items'], { id: 'string', rev: 'number', position: 'string' });
}

export function isSyncAnswer(body: unknown): boolean {
  if (!has(body, {}) || !each(body['results'], { mid: 'string', status: 'string' })) return false;
  return (body['delta'] ?? null) === null || isDelta(body['delta']);
}
