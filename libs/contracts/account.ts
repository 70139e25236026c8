import { z } from 'zod';
import { displayName, id, searchText, timestamp } from './common.ts';
import { suspension } from './suspension.ts';

export const PASSWORD_MIN_CHARACTERS = 12;

export const email = z
  .string()
  .trim()
  .max(254, { error: 'must have at most 254 characters' })
  .pipe(z.email({ error: 'must be an e-mail address' }));

export const password = z
  .string()
  .min(PASSWORD_MIN_CHARACTERS, { error: `must have at least ${PASSWORD_MIN_CHARACTERS} characters` })
  .max(256, { error: 'must have at most 256 characters' });

export const project = z.object({ id, name: z.string(), created: timestamp }).meta({ id: 'Project' });

const usage = z.object({ servers: z.int(), vcpus: z.int(), memory_gb: z.number(), volume_gb: z.int() });

export const account = z
  .object({
    id,
    email: z.string(),
    name: z.string(),
    role: z.enum(['customer', 'operator']),
    /** Whether its owner has followed the link that was sent to this address. */
    email_confirmed: z.boolean(),
    limits: usage,
    usage,
    projects: z.array(z.object({ id, name: z.string() })),
    card: z
      .object({ brand: z.string(), last4: z.string(), exp_month: z.int(), exp_year: z.int() })
      .nullable(),
    suspensions: z.array(suspension),
  })
  .meta({ id: 'Account' });

export const signUp = z.strictObject({ email, password, name: displayName.optional() });
/** Neither is empty: Passport looks for what the body lacks in the address, where it is not counted and ends in logs. */
export const signIn = z.strictObject({
  email: searchText.min(1, { error: 'must not be empty' }),
  password: z.string().min(1, { error: 'must not be empty' }).max(256),
});

export const signUpResponse = z.object({ account, project });
export const accountResponse = z.object({ account });

/** What a link in a mail ends with. */
const mailedToken = z
  .string()
  .regex(/^[A-Za-z0-9]{64}$/, { error: 'must be what the link in the mail ends with' });

export const completeEmailConfirmation = z.strictObject({ token: mailedToken });
export const requestPasswordReset = z.strictObject({ email });
export const completePasswordReset = z.strictObject({
  token: mailedToken,
  password,
  /** Ends all API tokens of the account too: somebody else may have made or read them. */
  revoke_api_tokens: z.boolean().default(false),
});
/** Whose link it was. */
export const mailedLinkResponse = z.object({ account: z.object({ id, email: z.string() }) });

export const createProject = z.strictObject({ name: displayName });
export const projectResponse = z.object({ project });
export const projectListResponse = z.object({ projects: z.array(project) });

export const tokenAccess = z.enum(['read', 'read_write']);

export const apiToken = z
  .object({
    id,
    name: z.string(),
    access: tokenAccess,
    /** Whether it is shown invoices, usage and balances, which are the account's and not its project's alone. */
    sees_money: z.boolean(),
    last4: z.string(),
    created: timestamp,
    last_used: timestamp.nullable(),
    revoked: timestamp.nullable(),
  })
  .meta({ id: 'ApiToken' });

export const createApiToken = z.strictObject({
  name: displayName,
  access: tokenAccess,
  sees_money: z.boolean().default(false),
});
/** `token` has 64 characters and is in this answer only. */
export const createApiTokenResponse = z.object({ api_token: apiToken, token: z.string() });
export const apiTokenListResponse = z.object({ api_tokens: z.array(apiToken) });

export type AccountWire = z.output<typeof account>;
export type ProjectWire = z.output<typeof project>;
export type ApiTokenWire = z.output<typeof apiToken>;
export type TokenAccess = z.output<typeof tokenAccess>;
