export interface Limit {
  readonly limit: number;
  readonly windowSeconds: number;
}

/** Injection token of the limit of each token, so that a test can lower it. */
export const API_LIMIT = Symbol('API_LIMIT');

/** As many in an hour as Hetzner's ten-fold, in windows short enough for a client to wait for. */
export const apiLimit: Limit = { limit: 3600, windowSeconds: 360 };

/** Wrong passwords for one e-mail from one address. */
export const signInLimit: Limit = { limit: 20, windowSeconds: 300 };

/** Wrong passwords for one e-mail from anywhere: more than one address alone comes to. */
export const signInFromAnywhereLimit: Limit = { limit: 100, windowSeconds: 900 };

/** Wrong passwords, for whichever e-mail, and wrong API tokens from one address, which a whole office may share. */
export const failuresFromAddressLimit: Limit = { limit: 300, windowSeconds: 300 };

/** Mails with a link to set a new password, to one e-mail from anywhere. */
export const resetForEmailLimit: Limit = { limit: 5, windowSeconds: 3600 };

/** Requests for such mails from one address. */
export const resetFromAddressLimit: Limit = { limit: 30, windowSeconds: 3600 };

/** Mails with a link to confirm its address, that one account asks for. */
export const confirmationLimit: Limit = { limit: 5, windowSeconds: 3600 };

/** Accounts made from one address. */
export const signUpLimit: Limit = { limit: 100, windowSeconds: 3600 };
