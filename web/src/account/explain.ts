import { Problem } from '@fairweather/client';

import { explain as explainAny } from '../state/toasts.svelte';
import { words } from './text';
import { PasskeyFailure } from './webauthn';
import { span } from './when';

/** NIST SP 800-63B-4 for a password that is the only factor. */
const SHORTEST = 15;

/** What is wrong with a new password, before anybody asks the server; null when nothing is. */
export function weakness(password: string): string | null {
  const length = [...password.normalize('NFC')].length;
  return length < SHORTEST ? words.t.errors.passwordShort(length) : null;
}

/** Whether this looks like an address at all; the server and the mail tell the rest. */
export function isAddress(text: string): boolean {
  return /^[^\s@]+@[^\s@]+$/.test(text.trim());
}

/** What a person can do about what an account page or dialog asked for in vain. */
export function explain(error: unknown): string {
  const { errors } = words.t;
  if (error instanceof PasskeyFailure) return error.message;
  if (!(error instanceof Problem) || error.status === 0) return explainAny(error);
  if (error.code === 'too_many_attempts' && error.retryAfter !== null) return errors.tooMany(span(error.retryAfter));
  const [field] = error.fields;
  return (field ? ofField(field.pointer, field.code) : ofCode(error.code)) ?? explainAny(error);
}

function ofField(pointer: string, code: string): string | null {
  const { errors } = words.t;
  if (pointer === '/password') {
    const reasons: Partial<Record<string, string>> = errors.passwordReasons;
    return reasons[code] ?? words.t.errors.passwordWeak;
  }
  if (pointer === '/current') return code === 'required' ? errors.required : errors.wrongPassword;
  if (pointer === '/email') return code === 'unchanged' ? errors.emailSame : words.t.errors.email;
  if (pointer === '/code') return code === 'wrong_or_expired' ? words.t.errors.code : errors.wrongCode;
  if (pointer === '/recovery_code') return errors.wrongRecovery;
  if (pointer === '/credential') return errors.wrongPasskey;
  return null;
}

/** A code of the server's, or of a provider's round trip. */
export function ofCode(code: string): string | null {
  const { errors, totp, stepUp } = words.t;
  const told: Partial<Record<string, string>> = {
    access_denied: errors.denied,
    anonymous_account: errors.lastWayIn,
    challenge_expired: errors.challengeExpired,
    email_required: words.t.password.needsMail,
    identity_taken: errors.identityTaken,
    insufficient_user_authentication: stepUp.nothing,
    last_way_in: errors.lastWayIn,
    mail_unavailable: errors.mailOff,
    no_second_factor: errors.changed,
    not_reauthenticated: errors.notAgain,
    nothing_pending: totp.expired,
    not_found: errors.changed,
    other_identity: errors.otherIdentity,
    passkey_in_use: errors.passkeyInUse,
    password_refused: errors.passwordRefused,
    provider_answer_refused: errors.denied,
    provider_refused: errors.denied,
    provider_unavailable: errors.providerAway,
    second_factor_required: errors.factorRequired,
    too_many_passkeys: errors.tooManyPasskeys,
    unknown_state: errors.oauthStale,
    wrong_factor: errors.wrongCode,
  };
  return told[code] ?? null;
}
