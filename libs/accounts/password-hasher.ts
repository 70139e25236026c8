import { hash, verify } from '@node-rs/argon2';

/** argon2id (the library's default) with OWASP's parameters. */
const parameters = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** What is verified when there is no such account, so that both answers take as long. */
const dummyHash = hash('no account has this password', parameters);

export function hashPassword(password: string): Promise<string> {
  return hash(password, parameters);
}

/** True when `password` made `passwordHash`; always false, after the same work, when there is no hash. */
export async function verifyPassword(passwordHash: string | undefined, password: string): Promise<boolean> {
  const matches = await verify(passwordHash ?? (await dummyHash), password);
  return matches && passwordHash !== undefined;
}
