import { words } from './text';

/** What the browser says when no passkey came of it, in words for people. */
export class PasskeyFailure extends Error {
  override readonly name = 'PasskeyFailure';
}

/** Whether this browser can hand passkeys over as the server writes them. */
export const canUsePasskeys =
  typeof PublicKeyCredential === 'function' && typeof PublicKeyCredential.parseRequestOptionsFromJSON === 'function';

/** Has the device make a passkey. */
export async function createPasskey(options: PublicKeyCredentialCreationOptionsJSON): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return written(navigator.credentials.create({ publicKey }));
}

/** Has the user show one. */
export async function showPasskey(options: PublicKeyCredentialRequestOptionsJSON): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return written(navigator.credentials.get({ publicKey }));
}

/** Whether the browser offers passkeys where it offers names that it has kept. */
export async function canOfferPasskeys(): Promise<boolean> {
  return canUsePasskeys && (await PublicKeyCredential.isConditionalMediationAvailable?.()) === true;
}

/**
 * Has the browser offer passkeys in the field for the name. Waits for as long as that takes; null when another way was
 * taken, of which there is nothing to say.
 */
export async function offerPasskey(options: PublicKeyCredentialRequestOptionsJSON, signal: AbortSignal): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return written(navigator.credentials.get({ publicKey, mediation: 'conditional', signal })).catch(() => null);
}

async function written(asked: Promise<Credential | null>): Promise<unknown> {
  const { passkeys } = words.t;
  try {
    const credential = await asked;
    if (credential instanceof PublicKeyCredential) return credential.toJSON();
  } catch (error) {
    const name = error instanceof DOMException ? error.name : '';
    if (name === 'InvalidStateError') throw new PasskeyFailure(passkeys.there);
    if (name === 'SecurityError') throw new PasskeyFailure(passkeys.wrongAddress);
    if (name === 'NotSupportedError') throw new PasskeyFailure(passkeys.unsupported);
  }
  throw new PasskeyFailure(passkeys.calledOff);
}

/** A name for a passkey of this device that its owner may well keep. */
export function nameOfDevice(): string {
  const agent = navigator.userAgent;
  const systems: [RegExp, string][] = [
    [/iPhone/, 'iPhone'],
    [/iPad/, 'iPad'],
    [/Android/, 'Android'],
    [/Windows/, 'Windows'],
    [/Mac OS/, 'Mac'],
    [/CrOS/, 'Chromebook'],
    [/Linux/, 'Linux'],
  ];
  return systems.find(([pattern]) => pattern.test(agent))?.[1] ?? 'Passkey';
}
