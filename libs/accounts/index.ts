export { Account, type AccountLimits, type AccountRole } from './account.entity.ts';
export { type AccountStanding, hasAccount, lockStanding, trustAccount } from './account-standing.ts';
export * from './accounts.errors.ts';
export { AccountsModule, accountsEntities } from './accounts.module.ts';
export { AccountsService, type NewAccount, type SignedUp } from './accounts.service.ts';
export { ApiToken, type TokenAccess } from './api-token.entity.ts';
export { ApiTokensService, type TokenBearer } from './api-tokens.service.ts';
export { type AuditFilter, type AuditLine, type AuditRecord, AuditService } from './audit.service.ts';
export type { AuditDetail } from './audit-entry.entity.ts';
export { type ActorKind, AuditEntry } from './audit-entry.entity.ts';
export { EmailConfirmations } from './email-confirmations.service.ts';
export { PasswordResets } from './password-resets.service.ts';
export { Project } from './project.entity.ts';
export { ProjectsService } from './projects.service.ts';
export { hashToken, newToken } from './secret-token.ts';
export { type ActiveSession, SESSION_COOKIE, SESSION_SECONDS, SessionsService } from './sessions.service.ts';
export { SshKey } from './ssh-key.entity.ts';
export { generateSshKeyPair, type SshKeyPair } from './ssh-key-pair.ts';
export { type NewSshKey, type SshKeyChange, SshKeysService } from './ssh-keys.service.ts';
export { parseSshPublicKey, type SshPublicKey } from './ssh-public-key.ts';
export {
  isEvidence,
  liftSuspension,
  type Suspension,
  type SuspensionReason,
  standingSuspensions,
  suspendAccount,
} from './suspensions.ts';
